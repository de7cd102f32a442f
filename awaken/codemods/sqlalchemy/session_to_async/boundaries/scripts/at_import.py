"""Code that runs when a file is imported: a call that waits there has to be moved or run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import indent
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.boundaries.disposal import Disposal
from awaken.codemods.sqlalchemy.session_to_async.boundaries.entry_points import begins_process
from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.imports import is_imported
from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.waiting import (
    is_entered,
    waiting_in,
)
from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.writing import Scripts
from awaken.codemods.sqlalchemy.session_to_async.payload import REMOVE, Removed
from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.resources.tables import schema_change
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_beside
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_INDENTED = "    "
_STARTING = {"lifespan", "on_shutdown", "on_startup"}


_OF_CALL = (
    "Move the database calls from `{}` into a function that runs at startup, such as the lifespan."
)


def members_at_import(
    part: SynchronousPart, rule: str, path: str, disposal: Disposal, scripts: Scripts
) -> Iterator[Member]:
    """Yield the rewrites of code that waits outside of all functions of a file."""
    module = part.project.module(path)
    if module is None:
        return
    waiting = waiting_in(part, module)
    regions = scripts.regions(module, waiting)
    for region in regions:
        yield scripts.member(region, waiting)

    def is_left(node: ast.AST) -> bool:
        return not any(region.holds(module.place(node)) for region in regions)

    for operation in waiting.operations:
        if is_left(operation.node):
            yield from _of_operation(part.project, Site(rule, module, operation.node), operation)
    for node in filter(is_left, waiting.entered):
        shown = f"`{module.excerpt(node)}`"
        yield Member(Site(rule, module, node), Refused(reasons.AT_IMPORT, shown), shown)
    for node in filter(is_left, waiting.calls):
        site: Site[ast.AST] = Site(rule, module, node)
        yield member(site, f"`{module.excerpt(node)}`", _run, node, disposal, part)


def _of_operation(project: Project, site: Site[ast.AST], operation: Operation) -> Iterator[Member]:
    try:
        yield from _moved(project, site, operation)
    except Refused as refused:
        yield Member(site, refused, f"`{site.module.excerpt(operation.node)}`")


def _run(site: Site[ast.AST], node: ast.expr, disposal: Disposal, part: SynchronousPart) -> Rewrite:
    """Return how a coroutine is run where a program begins, or its tests. Raises Refused."""
    module = site.module
    shown = module.excerpt(node)
    # Connections that belong to one loop must not outlive this one.
    is_run = begins_process(module, node) or (
        _is_collected(part.project, module)
        and (disposal.is_possible(module) or not part.is_loop_bound)
    )
    if is_entered(module, node) or not is_run:
        cure = _OF_CALL.format(shown) if isinstance(node, ast.Call) else ""
        raise Refused(reasons.AT_IMPORT, f"`{shown}`", cure)
    return Rewrite(f"`asyncio.run()` runs `{shown}`", *disposal.run_in_place(site, node))


def _is_collected(project: Project, module: Module) -> bool:
    """Whether pytest alone imports a file, which it does in front of all tests: no loop runs."""
    is_conftest = module.path.rpartition("/")[2] == "conftest.py"
    return is_conftest and not is_imported(project, module)


# ------------------------------------------------------------------------------ changes of tables
def _moved(project: Project, site: Site[ast.AST], operation: Operation) -> list[Member]:
    """Return the rewrite of a change of tables, and where it goes. Raises Refused."""
    module, node = site.module, operation.node
    statement = module.parent(node)
    shown = f"`{module.excerpt(node)}`"
    is_of_tables = operation.how == "schema" and operation.resource == "engine"
    if not isinstance(statement, ast.Expr) or not is_of_tables:
        raise Refused(reasons.AT_IMPORT, shown)
    if module.parent(statement) is not module.tree:
        raise Refused(reasons.AT_IMPORT, shown)
    if is_test_file(module.path):
        return [Member(site, _run_in_tests(project, site, statement), shown)]
    return _in_lifespan(project, site, statement)


def _run_in_tests(project: Project, site: Site[ast.AST], statement: ast.Expr) -> Rewrite:
    """Return how tables are made where tests are collected: no loop runs there."""
    module = site.module
    name = module.scopes.fresh_name(_name_of_change(module, statement))
    changed = indent(f"{schema_change(module, statement.value)}\n", _INDENTED)
    code = f"async def {name}() -> None:\n{changed}"
    edits: list[Edit] = [
        site.insert_statements(module.place(statement), "before", code),
        site.replace(statement.value, f"asyncio.run({name}())"),
        import_of_asyncio(project, site),
    ]
    return Rewrite(f"`asyncio.run()` runs `{module.excerpt(statement)}`", edits)


def _name_of_change(module: Module, statement: ast.Expr) -> str:
    """Return what a function is called that changes tables; each of a file has another name."""
    name = _verb(statement)
    before = module.tree.body[: module.tree.body.index(statement)]
    number = 1 + sum(_verb(one) == name for one in before)
    return f"{name}_tables" if number == 1 else f"{name}_tables_{number}"


def _verb(statement: ast.stmt) -> str:
    """Return what a statement does, by the name that it calls: `create` of `create_all`."""
    match statement:
        case ast.Expr(value=ast.Call(func=func)):
            return last_name(func).partition("_")[0]
        case _:
            return ""


def _in_lifespan(project: Project, site: Site[ast.AST], statement: ast.Expr) -> list[Member]:
    """Return how tables are made when the application starts. Raises Refused."""
    module, shown = site.module, f"`{site.module.excerpt(statement)}`"
    made = _application(project, module)
    if made is None:
        raise Refused(reasons.AT_IMPORT, shown)
    application, call = made
    given = {one.arg for one in call.keywords}
    if given & _STARTING or None in given or b"on_event" in module.source.text:
        raise Refused(reasons.AT_IMPORT, shown)
    manager, imports = name_beside(project, site, None, "contextlib.asynccontextmanager")
    iterator, more = name_beside(project, site, None, "collections.abc.AsyncIterator")
    name = module.scopes.fresh_name("lifespan", "app_lifespan")
    changed = indent(f"{schema_change(module, statement.value)}\n", _INDENTED)
    code = (
        f"@{manager}\n"
        f"async def {name}({_parameter(application)}: {module.text_of(call.func)})"
        f" -> {iterator}[None]:\n"
        f"{changed}    yield\n"
    )
    caveat = "the application creates tables when it starts, not when the file is imported"
    removed = [site.rewrite(statement, REMOVE, Removed())]
    moved = Rewrite(f"{shown} moves into the lifespan", removed, [caveat])
    made_at: Site[ast.AST] = Site(site.rule, module, call)
    edits = [
        made_at.insert_statements(module.place(application), "before", code),
        made_at.add_keyword(call, "lifespan", name),
        *imports,
        *more,
    ]
    given_lifespan = Rewrite(f"`{module.excerpt(call)}` gets a lifespan", edits)
    return [
        Member(site, moved, shown),
        Member(made_at, given_lifespan, f"`{module.excerpt(call)}`", (site.place,)),
    ]


def _application(project: Project, module: Module) -> tuple[ast.Assign, ast.Call] | None:
    """Return the one application that a file makes, with the statement."""
    found: list[tuple[ast.Assign, ast.Call]] = []
    for statement in module.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name()], value=ast.Call() as call):
                if project.qualified_name(module, call.func) in twins().absorbing.applications:
                    found.append((statement, call))
            case _:
                pass
    return found[0] if len(found) == 1 else None


def _parameter(application: ast.Assign) -> str:
    target = application.targets[0]
    return target.id if isinstance(target, ast.Name) else "app"
