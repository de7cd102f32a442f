"""Refreshes: they load the relationships of objects that the program makes itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.contract import Edit
from awaken.kit.eager_loads.loading_statements import check_place
from awaken.kit.eager_loads.planned_loads import AddedLoad, PlannedLoads
from awaken.kit.eager_loads.reasons import NESTED_REFRESH, NO_REFRESH
from awaken.kit.search import argument
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Trace
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project

_WRITING = ("commit", "flush")


def plan_refreshes(project: Project, site: Site[ast.expr], traces: Sequence[Trace]) -> PlannedLoads:
    """Return the refreshes that load the reads of an object that is made at ``site``.

    Each follows a plain refresh, which is kept: one with names loads nothing but those. Without
    one, it follows the last commit. Raises Refused where neither is in the function.
    """
    module, refused = site.module, dict[Trace, Refused]()
    check_place(module, site.node)
    name = _variable(module, site.node)
    after = loading_calls(project, module, site.node)
    plain = [call for call in after if _names(call) is None]
    if name is None or any(_statement(module, call) is None for call in plain):
        raise Refused(NO_REFRESH, module.excerpt(site.node))
    named = [names for call in after if (names := _names(call)) is not None]
    present: list[Trace] = []
    needed: dict[str, list[Trace]] = {}
    for trace in traces:
        attribute = trace.path[-1].rpartition(".")[2]
        if len(trace.path) > 1:
            refused[trace] = Refused(NESTED_REFRESH, attribute)
        elif any(attribute in names for names in named):
            present.append(trace)
        elif not plain:
            refused[trace] = Refused(NO_REFRESH, module.excerpt(site.node))
        else:
            needed.setdefault(attribute, []).append(trace)
    edits = [edit for call in plain for edit in _refresh(site, call, name.id, list(needed))]
    added = [
        AddedLoad(module.place(plain[0]), f'refresh(attribute_names=["{name}"])', tuple(served))
        for name, served in needed.items()
    ]
    return PlannedLoads(tuple(edits) if needed else (), tuple(added), frozenset(present), refused)


def loading_calls(project: Project, module: Module, made: ast.expr) -> list[ast.Call]:
    """Return the calls after which an object that ``made`` makes can be loaded, in its function.

    Its refreshes, or else the last commit or flush, which runs whenever the object is made.
    """
    name, around = _variable(module, made), module.enclosing_function(made)
    if name is None:
        return []
    refreshes = [
        call
        for read in module.scopes.reads_of(name)
        if isinstance(call := module.parent(read), ast.Call)
        and last_name(call.func) == "refresh"
        and read in call.args[:1]
        and module.enclosing_function(read) is around
    ]
    if refreshes or len(module.scopes.bindings_of(name)) > 1:
        return refreshes
    block = module.parent(module.statement_of(made) or made)
    calls = [
        call
        for call in module.nodes_below(around, ast.Call)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in _WRITING
        and module.span(call).start > module.span(made).end
        and _statement(module, call) is not None
        and isinstance(project.orm.session_of(module, call.func.value), SessionProof)
    ]
    commits = [call for call in calls if last_name(call.func) == "commit"] or calls
    last = max(commits, key=lambda call: module.span(call).start, default=None)
    above = None if last is None else _statement(module, last)
    is_on_each = above is not None and block in {module.parent(above), *_tried(module, above)}
    return [last] if last is not None and is_on_each else []


def _tried(module: Module, statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the block around each `try` that a statement is directly in the body of."""
    for below, above in module.steps_up(statement):
        if isinstance(above, ast.Try) and below in above.body:
            yield module.parent(above) or above
        elif not isinstance(above, ast.Try):
            return


def _variable(module: Module, made: ast.expr) -> ast.Name | None:
    """Return the variable of a function that gets what ``made`` makes."""
    target = module.parent(made)
    name = target.targets[0] if isinstance(target, ast.Assign) else None
    is_local = module.enclosing_function(made) is not None
    return name if isinstance(name, ast.Name) and is_local else None


def _names(call: ast.Call) -> list[str] | None:
    """Return the names that a refresh loads; None for one of all columns, and for a commit."""
    names = argument(call, 1, "attribute_names")
    if not isinstance(names, ast.List | ast.Tuple):
        return None
    return [str(element.value) for element in names.elts if isinstance(element, ast.Constant)]


def _statement(module: Module, call: ast.Call) -> ast.Expr | None:
    """Return the statement that is nothing but a call, awaited or not."""
    statement = module.statement_of(call)
    value = statement.value if isinstance(statement, ast.Expr) else None
    inner = value.value if isinstance(value, ast.Await) else value
    return statement if isinstance(statement, ast.Expr) and inner is call else None


def _refresh(
    site: Site[ast.expr], call: ast.Call, name: str, attributes: Sequence[str]
) -> Iterator[Edit]:
    """Yield the edit that loads relationships after a refresh, or after a commit."""
    module, statement = site.module, _statement(site.module, call)
    if statement is None or not isinstance(call.func, ast.Attribute):
        return
    waits = "await " if isinstance(statement.value, ast.Await) else ""
    listed = ", ".join(f'"{attribute}"' for attribute in attributes)
    session = module.text_of(call.func.value)
    code = f"{waits}{session}.refresh({name}, attribute_names=[{listed}])"
    yield site.insert_statements(module.place(statement), "after", code)
