"""The pytest fixture that a parameter of a test receives."""

from __future__ import annotations

import ast
from collections.abc import Callable

from awaken.project.names.functions.decorators import PYTEST_FIXTURES
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function, without_arguments
from awaken.project.values.domain import FunctionOf


def fixture_for(
    module: Module,
    function: Function,
    name: str,
    names: Names,
    load: Callable[[str], Module | None],
) -> FunctionOf | None:
    """Return the fixture ``name`` that pytest passes to ``function``; None if not in sight.

    pytest looks into the file of the test, then into the ``conftest.py`` files of its folder and
    of those above, and takes the nearest. Fixtures inside classes and of plugins are not searched.
    """
    is_fixture = fixture_name(module, function, names) is not None
    # pytest passes fixtures to nothing else.
    if not is_fixture and not function.name.startswith("test"):
        return None
    if any(_gives_arguments(decorator, name) for decorator in function.decorator_list):
        return None
    folder = module.path.rpartition("/")[0]
    paths = [module.path]
    while True:
        paths.append(f"{folder}/conftest.py" if folder else "conftest.py")
        if not folder:
            break
        folder = folder.rpartition("/")[0]
    for path in paths:
        defining = load(path)
        for node in _fixtures(defining, names).get(name, ()) if defining is not None else ():
            # A fixture that asks for its own name gets the one further out.
            if defining is not None and not same_node(defining, node, module, function):
                return FunctionOf(defining, node)
    return None


def _fixtures(module: Module, names: Names) -> dict[str, list[Function]]:
    """Return the fixtures at the top of a file, by the names by which tests ask for them."""
    kept: dict[str, list[Function]] | None = module.memo.get(_fixtures)
    if kept is None:
        kept = module.memo[_fixtures] = {}
        for node in module.tree.body:
            name = fixture_name(module, node, names) if isinstance(node, Function) else None
            if name is not None and isinstance(node, Function):
                kept.setdefault(name, []).append(node)
    return kept


def _gives_arguments(decorator: ast.expr, name: str) -> bool:
    """Whether ``mock.patch`` or ``parametrize("name", ...)`` may pass the argument instead."""
    parts = [node for node in ast.walk(decorator) if isinstance(node, ast.Name | ast.Attribute)]
    words = {part.id if isinstance(part, ast.Name) else part.attr for part in parts}
    # A patch fills parameters by their position, so it may be any of them.
    if "patch" in words:
        return True
    texts = [node.value for node in ast.walk(decorator) if isinstance(node, ast.Constant)]
    # Names that are computed may be the one that is asked for.
    named = any(isinstance(text, str) and name in text for text in texts)
    return "parametrize" in words and (named or not any(isinstance(text, str) for text in texts))


def fixture_name(module: Module, node: Function, names: Names) -> str | None:
    """Return the name by which tests ask for the fixture ``node``; None if it is none."""
    for decorator in node.decorator_list:
        plain = without_arguments(decorator)
        if names.qualified(module, plain) not in PYTEST_FIXTURES:
            continue
        given = decorator.keywords if isinstance(decorator, ast.Call) else []
        named = next((one.value for one in given if one.arg == "name"), None)
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            return named.value
        return node.name
    return None
