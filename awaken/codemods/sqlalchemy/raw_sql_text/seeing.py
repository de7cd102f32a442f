"""Who sees that a string is executed: what catches the failure of today, and what is no session.

SQLAlchemy 2.0 raises for strings. Nothing can rely on such a call but code that catches the error,
here or in a function that leads here, and a test whose double takes strings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.replaced_names import caveats_of, doubles_passed, leading_to
from awaken.kit.sites import Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CATCHING = {
    None, "builtins.BaseException", "builtins.Exception", "sqlalchemy.exc.ArgumentError",
    "sqlalchemy.exc.InvalidRequestError", "sqlalchemy.exc.ObjectNotExecutableError",
    "sqlalchemy.exc.SQLAlchemyError",
}  # fmt: skip
_EXPECTING = {"assertRaises", "assertRaisesRegex", "raises", "suppress"}
_HIDDEN = "it fails today, which an `except` around hides"
_IN_LAMBDA = "it fails today, which whoever calls this lambda may hide"


def who_sees(project: Project, site: Site[ast.Call]) -> tuple[list[str], tuple[Place, ...]]:
    """Return the clauses that say who relies on the string, and the places that do."""
    module, call = site.module, site.node
    replaced = project.replaced_names.of(module, call.func)
    clauses, places = caveats_of(module, call.func, replaced)
    clauses += [_HIDDEN for _ in _catching(project, module, call)][:1]
    function = module.enclosing_function(call)
    if isinstance(function, ast.Lambda):
        clauses.append(_IN_LAMBDA)
        function = next((one for one in module.ancestors(call) if isinstance(one, Function)), None)
    if function is None:
        return clauses, places
    leading = leading_to(project, module, function)
    if _HIDDEN not in clauses:
        caught = next(_caught_above(project, leading), None)
        clauses += [] if caught is None else [_HIDDEN]
        places += () if caught is None else (caught,)
    double = next(doubles_passed(project, module, {last_name(call.func)}, leading), None)
    if double is not None and not replaced:
        clauses.append(f"{double.path} passes a double of it, which may look at the string")
        places += (double,)
    return clauses, places


def _catching(project: Project, module: Module, node: ast.AST) -> Iterator[Place]:
    """Yield what around ``node`` in its function catches the failure, or expects it."""
    for guard in project.effects.guards(module, node):
        if guard.kind == "handler" and not _CATCHING.isdisjoint(guard.catches):
            yield guard.place
        elif guard.kind == "with":
            entered = (one for one in module.calls_at(guard.place.span))
            if any(last_name(one.func) in _EXPECTING for one in entered):
                yield guard.place


def _caught_above(project: Project, leading: list[FunctionPlace]) -> Iterator[Place]:
    """Yield what catches the failure around the calls that lead to a function."""
    graph, known = project.calls.graph(), set(leading)
    for function in leading:
        module: Module | None = None
        for called in graph.callees(function):
            if not known.isdisjoint(called.functions):
                module = module or project.module(function.path)
                for node in [] if module is None else module.calls_at(called.place.span):
                    if module is not None:
                        yield from _catching(project, module, node)
