"""Objects that are made and not loaded: attributes that a refresh after the commit has to load."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.contract import Edit
from awaken.kit.eager_loads.loading_statements import check_place
from awaken.kit.eager_loads.planned_loads import AddedLoad, PlannedLoads
from awaken.kit.eager_loads.reasons import NESTED_REFRESH, NO_REFRESH
from awaken.kit.search import argument
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Trace
from awaken.project.source.modules import Module


def plan_refreshes(site: Site[ast.expr], traces: Sequence[Trace]) -> PlannedLoads:
    """Return the refreshes that load the reads of an object that is made at ``site``.

    Each follows a plain refresh, which is kept: one with names loads nothing but those. Raises
    Refused where the object is not refreshed in its function.
    """
    module, refused = site.module, dict[Trace, Refused]()
    check_place(module, site.node)
    refreshes = list(_refreshes(module, site.node))
    plain = [refresh for refresh in refreshes if argument(refresh, 1, "attribute_names") is None]
    if any(_statement(module, call) is None for call in plain):
        raise Refused(NO_REFRESH, module.excerpt(site.node))
    named = [names for refresh in refreshes if (names := _names(refresh)) is not None]
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
    edits = [edit for one in plain for edit in _refresh(site, one, list(needed))] if needed else []
    added = [
        AddedLoad(module.place(plain[0]), f'refresh(attribute_names=["{name}"])', tuple(served))
        for name, served in needed.items()
    ]
    return PlannedLoads(tuple(edits), tuple(added), frozenset(present), refused)


def _refreshes(module: Module, made: ast.expr) -> Iterator[ast.Call]:
    """Yield the calls that refresh the object that ``made`` makes, in its function."""
    target = module.parent(made)
    name = target.targets[0] if isinstance(target, ast.Assign) else None
    around = module.enclosing_function(made)
    if not isinstance(name, ast.Name) or around is None:
        return
    for read in module.scopes.reads_of(name):
        call = module.parent(read)
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "refresh"
            and read in call.args[:1]
            and module.enclosing_function(read) is around
        ):
            yield call


def _names(call: ast.Call) -> list[str] | None:
    """Return the names that a refresh loads; None for one of all columns."""
    given = argument(call, 1, "attribute_names")
    if not isinstance(given, ast.List | ast.Tuple):
        return None
    return [str(element.value) for element in given.elts if isinstance(element, ast.Constant)]


def _statement(module: Module, call: ast.Call) -> ast.Expr | None:
    """Return the statement that is nothing but a call, awaited or not."""
    statement = module.statement_of(call)
    value = statement.value if isinstance(statement, ast.Expr) else None
    inner = value.value if isinstance(value, ast.Await) else value
    return statement if isinstance(statement, ast.Expr) and inner is call else None


def _refresh(site: Site[ast.expr], call: ast.Call, names: Sequence[str]) -> Iterator[Edit]:
    """Yield the edit that loads relationships after a refresh."""
    module, statement = site.module, _statement(site.module, call)
    if statement is None:
        return
    waits = "await " if isinstance(statement.value, ast.Await) else ""
    listed = ", ".join(f'"{name}"' for name in names)
    given = module.text_of(call.args[0])
    code = f"{waits}{module.text_of(call.func)}({given}, attribute_names=[{listed}])"
    yield site.insert_statements(module.place(statement), "after", code)
