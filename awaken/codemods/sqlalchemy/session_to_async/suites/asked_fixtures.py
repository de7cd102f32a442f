"""Fixtures that a test asks for by name while it runs, ``request.getfixturevalue("client")``.

A plug-in of pytest runs a fixture that waits in the loop of its tests, and cannot where that runs
already: nor one that is needed by what is asked for. So the test has them made before it begins,
and is given what is there.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Edit, Span, TextEdit
from awaken.kit.sites import Site
from awaken.project.source.trees import Function
from awaken.project.values.domain import FunctionOf
from awaken.project.values.fixtures_by_name import ASKING
from awaken.workspace.sources import line_break_before

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

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
