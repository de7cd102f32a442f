"""Fixtures: functions that pytest calls around tests by their names, and what a test asks for.

pytest awaits no ``setup_function``. It makes an autouse fixture of each itself
(``_pytest.python.Module``). A fixture of the file runs at the same time.

``request.getfixturevalue("client")`` asks for a fixture while the test runs. A plug-in of pytest
runs a fixture that waits in the loop of its tests, and cannot where that runs already: nor one that
is needed by what is asked for. So the test has them made before it begins, and is given what is
there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit, Span, TextEdit
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Site
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, is_text, parameters_of, variadic
from awaken.project.values.domain import FunctionOf
from awaken.project.values.pytest_fixtures import ASKING
from awaken.workspace.sources import line_break_before

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

_SCOPES = boundaries().overrides.fixture_scopes
_AFTER = "teardown"
_GENERATOR = "collections.abc.AsyncIterator"
_OF_METHODS = "_method"
_OF_FUNCTIONS = "_function"


def xunit_scope(
    part: SynchronousPart, module: Module, node: Function, function: FunctionPlace
) -> str:
    """Return the scope of the fixture that a function becomes; empty if it becomes none.

    A fixture is called by pytest alone, with nothing, and returns nothing. Fixtures of functions
    would run for methods as well.
    """
    scope = _SCOPES.get(node.name, "")
    owner = module.parent(node)
    is_method = node.name.endswith(_OF_METHODS)
    home = ast.ClassDef if is_method else ast.Module
    if not scope or not isinstance(owner, home) or not is_test_file(module.path):
        return ""
    has_classes = any(isinstance(other, ast.ClassDef) for other in module.tree.body)
    if node.decorator_list or (has_classes and node.name.endswith(_OF_FUNCTIONS)):
        return ""
    arguments = {argument.arg for argument in _arguments(node)}
    is_used = any(name.id in arguments for name in module.nodes_below(node, ast.Name))
    is_used |= any(default is not None for _, default in parameters_of(node.args))
    is_used |= bool(variadic(node.args))
    is_result = any(statement.value is not None for statement in module.returns_of(node))
    is_called = any(part.project.calls.graph().callers(function))
    return "" if is_used or is_result or is_called or module.is_generator(node) else scope


def as_fixture(
    part: SynchronousPart, site: Site[ast.AST], node: Function, function: FunctionPlace
) -> Iterator[Edit]:
    """Yield what makes a fixture of a function that pytest calls by its name."""
    module = site.module
    scope = xunit_scope(part, module, node, function)
    if not scope:
        return
    newline = line_break_before(module.source.text, module.span(node).start)
    scoped = "" if scope == "function" else f'scope="{scope}", '
    code = f"@pytest.fixture({scoped}autouse=True){newline}"
    yield site.insert_before(node, code)
    yield site.need_import("pytest")
    if node.name.startswith(_AFTER):
        body = (each for each in node.body if not is_text(getattr(each, "value", None)))
        yield site.insert_statements(module.place(next(body)), "before", "yield")
        if node.returns is not None:
            name, needed = name_from_same_module(part.project, site, None, _GENERATOR)
            yield from (site.replace(node.returns, f"{name}[None]"), *needed)
    arguments = [*map(module.span, _arguments(node))]
    if arguments:
        first = module.span(node.args.args[0]).end if node.name.endswith(_OF_METHODS) else None
        start = arguments[0].start if first is None else first
        anchor = Span(start, arguments[-1].end)
        yield TextEdit(path=module.path, anchor=anchor, text="", site=site.id)


def _arguments(node: Function) -> list[ast.arg]:
    """Return the parameters that pytest passes something to, without ``self``."""
    parameters = [parameter for parameter, _ in parameters_of(node.args)]
    return parameters[1:] if node.name.endswith(_OF_METHODS) else parameters


CAVEAT = "pytest sets up all the fixtures that it requests while it runs before it runs"


def made_before(part: SynchronousPart, site: Site[ast.AST], node: ast.FunctionDef) -> list[Edit]:
    """Return what has the fixtures made that a test asks for by name, and that wait."""
    module, names = site.module, set[str]()
    if not module.mentions(ASKING):
        return []
    requests = part.project.coroutine_tests.requests
    if not requests.is_test(module, node):
        return []
    for value in requests.asked_for(module, node):
        name = isinstance(value.node, Function) and requests.name_of(value.module, value.node)
        if name and any(_waits(part, needed) for needed in requests.with_needed(value)):
            names.add(name)
    if not names:
        return []
    first = node.decorator_list[0] if node.decorator_list else None
    start = module.span(node).start if first is None else module.span(first).start - 1
    given = ", ".join(f'"{word}"' for word in sorted(names))
    code = f"@pytest.mark.usefixtures({given}){line_break_before(module.source.text, start)}"
    return [
        TextEdit(path=module.path, anchor=Span(start, start), text=code, site=site.id),
        site.need_import("pytest"),
    ]


def _waits(part: SynchronousPart, fixture: FunctionOf) -> bool:
    """Whether a fixture becomes a coroutine function, or is one."""
    if not isinstance(fixture.node, Function):
        return False
    function = part.place_of(fixture.module, fixture.node)
    return function in part.steps or part.is_asynchronous(function)
