"""Fixtures by their names, and the modules of tests, from the ``request`` of pytest."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.project.names.functions.decorators import PYTEST_FIXTURES
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    last_name,
    root_of,
    variable_of,
    without_arguments,
)
from awaken.project.values.domain import FunctionOf, ModuleOf, Values
from awaken.project.values.pytest_fixtures import fixture_for, fixture_name, takes_fixture
from awaken.project.values.questions import Questions

ASKING = "getfixturevalue"
_OTHER_PARAMS = ("indirect", "pytest_generate_tests")
"""Words in files that give a fixture other parameters than it names itself."""


def fixtures_asked_for(
    evaluator: Questions, module: Module, call: ast.Call
) -> list[FunctionOf] | None:
    """Return the fixtures that ``call`` may give what they give; None where that is not known.

    Their names are visible if they are texts, or parameters that ``parametrize`` gives texts. So
    are they as the ``request.param`` of a fixture with texts for ``params``.
    """
    function = module.enclosing_function(call)
    if not isinstance(function, Function) or len(call.args) != 1:
        return None
    match call.args[0]:
        case ast.Constant(value=str() as text):
            names: set[str] | None = {text}
        case ast.Name(id=name):
            names = _parametrized_texts(function, name)
        case ast.Attribute(value=ast.Name(id="request"), attr="param"):
            names = _own_params(evaluator, module, function)
        case _:
            names = None
    if names is None:
        return None
    fixtures = [fixture_for(evaluator, module, function, name) for name in names]
    known = [value for value in sorted(fixtures, key=_place) if value is not None]
    return known if len(known) == len(fixtures) else None


def _place(fixture: FunctionOf | None) -> tuple[str, int]:
    return ("", 0) if fixture is None else (fixture.module.path, fixture.node.lineno)


def is_asking(call: ast.Call) -> bool:
    """Whether a call asks for a fixture by its name."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == ASKING


def _parametrized_texts(function: Function, name: str) -> set[str] | None:
    """Return the texts that ``parametrize`` gives to the parameter ``name``, if only these."""
    values = [
        value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and last_name(decorator.func) == "parametrize"
        for value in parametrized_nodes(decorator, name)
    ]
    return _texts(values)


def _own_params(evaluator: Questions, module: Module, function: Function) -> set[str] | None:
    """Return the texts of which pytest chooses the ``request.param`` of a fixture, if only these.

    Tests may give it others, which is not looked at any closer.
    """
    name = fixture_name(module, function, evaluator.names)
    listed = [
        keyword.value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and evaluator.names.qualified_name(module, without_arguments(decorator)) in PYTEST_FIXTURES
        for keyword in decorator.keywords
        if keyword.arg == "params"
    ]
    if name is None or len(listed) != 1 or not isinstance(listed[0], ast.List | ast.Tuple):
        return None
    naming = evaluator.files_naming(name)
    for word in _OTHER_PARAMS:
        others = evaluator.files_naming(word)
        if naming is None or others is None or not set(naming).isdisjoint(others):
            return None
    return _texts([_of_param(element) for element in listed[0].elts])


def _of_param(node: ast.expr) -> ast.expr | None:
    """Return the only value of ``pytest.param(value, marks=...)``, or ``node`` itself."""
    if isinstance(node, ast.Call) and last_name(node.func) == "param":
        return node.args[0] if len(node.args) == 1 else None
    return node


def _texts(values: Sequence[ast.expr | None]) -> set[str] | None:
    """Return what ``values`` say, if all of them are texts and there are any."""
    known = [value.value for value in values if isinstance(value, ast.Constant)]
    texts = {candidate for candidate in known if isinstance(candidate, str)}
    return texts if values and len(known) == len(values) and texts else None


def parametrized_nodes(decorator: ast.Call, name: str) -> Iterator[ast.expr | None]:
    """Yield the values that ``parametrize`` passes to a parameter; None for unknown ones."""
    match decorator.args:
        case [ast.Constant(value=str() as text), values, *_]:
            names = [line.strip() for line in text.split(",")]
        case [ast.List(elts=named) | ast.Tuple(elts=named), values, *_]:
            names = [
                node.value
                for node in named
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            if len(names) != len(named):
                yield None
                return
        case _:
            yield None
            return
    if name not in names:
        return
    if not isinstance(values, ast.List | ast.Tuple):
        yield None
        return
    for element in values.elts:
        row = element
        is_param = isinstance(element, ast.Call) and last_name(element.func) == "param"
        if is_param and isinstance(element, ast.Call):
            row = ast.Tuple(element.args, ast.Load())
        if len(names) == 1 and not is_param:
            yield row
        elif isinstance(row, ast.List | ast.Tuple) and len(row.elts) == len(names):
            yield row.elts[names.index(name)]
        else:
            yield None


def modules_of_tests(evaluator: Questions, module: Module, node: ast.Attribute) -> Values | None:
    """Return the modules that ``request.module`` may be; None for other attributes.

    Of these, files without what the function reads off it are left out: to read it raises there.
    """
    if node.attr != "module" or not _is_request(node.value):
        return None
    function = module.enclosing_function(node)
    asked = root_of(node)
    if not isinstance(function, Function) or module.scopes.parameter_of(asked) is None:
        return None
    names = evaluator.names
    is_own = fixture_for(evaluator, module, function, _REQUEST) is not None
    if is_own or not takes_fixture(module, function, _REQUEST, names):
        return None
    folder, _, file = module.path.rpartition("/")
    below = f"{folder}/" if folder and file == "conftest.py" else ""
    paths = (names.layout.path_of(name) for name in names.layout.modules())
    read = _names_read(module, node)
    return tuple(
        ModuleOf(path)
        for path in sorted(path for path in paths if path is not None)
        if path.startswith(below) and (read is None or _binds(evaluator, path, read))
    )


_REQUEST = "request"


def _is_request(node: ast.expr) -> bool:
    """Whether ``node`` is written ``request`` or ``request.node``."""
    inner = node.value if isinstance(node, ast.Attribute) and node.attr == "node" else node
    return isinstance(inner, ast.Name) and inner.id == _REQUEST


def _names_read(module: Module, node: ast.expr) -> set[str] | None:
    """Return the attributes that code reads off ``node``; None where it may read others."""
    variable = variable_of(module.parent(node))
    uses: list[ast.AST] = [node]
    if variable is not None:
        same = (use for use in module.mentions(variable.id) if use is not variable)
        uses = [use for use in same if module.scopes.only_value(use) is node]
        others = len(module.scopes.bindings_of(variable)) != 1
        uses += [variable] if others else []
    names = [_name_read(module, use) for use in uses]
    return {name for name in names if name} if all(names) else None


def _name_read(module: Module, use: ast.AST) -> str:
    """Return ``name`` of ``use.name`` and ``getattr(use, "name")``; empty for other uses."""
    owner, name = module.scopes.attribute_read(module.parent(use), {"getattr", "hasattr"})
    return name if owner is use else ""


def _binds(evaluator: Questions, path: str, names: set[str]) -> bool:
    home = evaluator.load(path)
    return home is not None and not all(evaluator.lacks_name(home, name) for name in names)
