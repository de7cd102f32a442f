"""New objects: their relationships are loaded behind the commit, for reading them cannot."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.domain import Read


def loaded_behind_commits(project: Project, rule: str, reads: Iterable[Read]) -> Iterator[Member]:
    """Yield the commits behind which new objects are refreshed, for what ``reads`` need of them.

    An object that the function refreshes itself, and an attribute that it was given when it was
    made, need nothing.
    """
    needed: defaultdict[Place, dict[str, list[Read]]] = defaultdict(lambda: defaultdict(list))
    for read in reads:
        for trace in read.traces:
            is_own = trace.load.kind == "new" and len(trace.path) == 1
            if is_own and read.attribute not in trace.load.sets:
                needed[trace.load.place][read.attribute].append(read)
    for made in sorted(needed):
        module = project.module(made.path)
        calls = [] if module is None else module.calls_at(made.span)
        if module is not None and calls:
            yield from _refreshed(project, rule, module, calls[0], needed[made])


def _refreshed(
    project: Project, rule: str, module: Module, made: ast.Call, needed: dict[str, list[Read]]
) -> Iterator[Member]:
    assigned, function = module.parent(made), module.enclosing_function(made)
    match assigned:
        case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(function, Function):
            commit = _last_commit(project, module, made)
        case _:
            return
    if commit is None or _is_refreshed(module, function, commit, name):
        return
    end = module.span(commit).end
    attributes = [
        attribute
        for attribute, reads in sorted(needed.items())
        if any(_is_later(module, function, end, one.place) for one in reads)
    ]
    if not attributes or not isinstance(commit.func, ast.Attribute):
        return
    names = ", ".join(f'"{one}"' for one in attributes)
    session = module.text_of(commit.func.value)
    code = f"await {session}.refresh({name}, attribute_names=[{names}])\n"
    site: Site[ast.AST] = Site(rule, module, commit)
    statement = module.statement_of(commit)
    if statement is not None:
        edits = [site.insert_statements(module.place(statement), "after", code)]
        yield Member(
            site, Rewrite(f"{names} of `{name}` are loaded behind the commit", edits), name
        )


def _is_later(module: Module, function: Function, end: int, place: Place) -> bool:
    """Whether a place is read behind the byte ``end`` of a function, or elsewhere."""
    is_inside = place.path == module.path and module.span(function).contains(place.span)
    return not is_inside or place.span.start > end


def _last_commit(project: Project, module: Module, made: ast.Call) -> ast.Call | None:
    """Return the commit that ends what makes the object, a statement of its own block."""
    statement = module.statement_of(made)
    block = [] if statement is None else module.block_of(statement)
    found: ast.Call | None = None
    for one in block[block.index(statement) + 1 :] if statement in block else ():
        match one:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="commit")) as call):
                if project.orm.session_of(module, owner) is not None:
                    found = call
            case _:
                pass
    return found


def _is_refreshed(module: Module, function: Function, commit: ast.Call, name: str) -> bool:
    start = module.span(commit).end
    return any(
        isinstance(node, ast.Call)
        and last_name(node.func) == "refresh"
        and module.span(node).start > start
        and any(isinstance(one, ast.Name) and one.id == name for one in node.args[:1])
        for node in module.walk(function)
    )
