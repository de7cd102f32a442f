"""Statements that wait when the file of an application is imported: its lifespan runs them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import indent
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.names import names_kept
from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.regions import Region
from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.waiting import (
    Waiting,
    is_entered,
)
from awaken.codemods.sqlalchemy.session_to_async.boundaries.scripts.writing import Scripts
from awaken.codemods.sqlalchemy.session_to_async.payload import REMOVE, Removed
from awaken.codemods.sqlalchemy.session_to_async.resources.tables import schema_change
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project

_INDENTED = "    "
_OTHERS = {"on_shutdown", "on_startup"}
_MANAGER = "contextlib.asynccontextmanager"
_FUNCTION = "prepare_database"
_LATER = "the application {} when it starts, not when the file is imported"


class _Application(NamedTuple):
    """The only application that a file makes, and the lifespan that it has already."""

    statement: ast.Assign
    call: ast.Call
    lifespan: ast.AsyncFunctionDef | None


class Starting:
    """Has the lifespan of an application run what waits when its file is imported."""

    def __init__(self, project: Project, rule: str, scripts: Scripts) -> None:
        self._project = project
        self._rule = rule
        self._scripts = scripts

    def regions(self, module: Module, waiting: Waiting) -> list[Region]:
        """Return the statements of a file that wait, if its application can run them."""
        if _application(self._project, module) is None:
            return []
        nodes = waiting.nodes()
        holding = [
            index
            for index, statement in enumerate(module.tree.body)
            if any(module.span(statement).contains(module.span(node)) for node in nodes)
        ]
        if not holding or not all(self._is_movable(module, one) for one in holding):
            return []
        starts = [holding[0], *(after for before, after in pairwise(holding) if after > before + 1)]
        ends = [*(before for before, after in pairwise(holding) if after > before + 1), holding[-1]]
        regions = [Region(module, module.tree, *each) for each in zip(starts, ends, strict=True)]
        is_plain = all(self._in_place(module, waiting, index) for index in holding)
        # The statements of a file are moved into one function at most.
        return regions if is_plain or len(regions) == 1 else []

    def members(self, regions: Sequence[Region], waiting: Waiting) -> Iterator[Member]:
        """Yield the rewrites of ``regions``, which are all of a file, and of its application."""
        module = regions[0].module
        application = _application(self._project, module)
        if application is None:
            return
        indices = [index for one in regions for index in range(one.first, one.last + 1)]
        plain = [self._in_place(module, waiting, index) for index in indices]
        started: list[str] = []
        for index, code in zip(indices, plain, strict=True) if all(plain) else ():
            statement = module.tree.body[index]
            site: Site[ast.AST] = Site(self._rule, module, _call(statement) or statement)
            shown = f"`{module.excerpt(statement)}`"
            removed = [site.rewrite(statement, REMOVE, Removed())]
            moved = Rewrite(
                f"{shown} moves into the lifespan", removed, [_caveat(shown, statement)]
            )
            yield Member(site, moved, shown)
            started.append(code)
        if not all(plain):
            name = module.scopes.fresh_name(_FUNCTION)
            yield self._enclosed(regions[0], name, application)
            started.append(f"await {name}()")
        yield self._of_application(module, application, started, indices)

    def _is_movable(self, module: Module, index: int) -> bool:
        """Whether a statement runs as well in a function, and nothing reads what it binds."""
        statement = module.tree.body[index]
        if not isinstance(statement, ast.Expr | ast.If | ast.Try | ast.With | ast.For):
            return False
        try:
            return not names_kept(module, [statement])
        except Refused:
            return False

    def _in_place(self, module: Module, waiting: Waiting, index: int) -> str:
        """Return the code of a statement in the lifespan; empty if it needs a function."""
        statement = module.tree.body[index]
        call = _call(statement)
        span = module.span(statement)
        inside = [one for one in waiting.nodes() if span.contains(module.span(one))]
        if call is None or inside != [call]:
            return ""
        changes = [one for one in waiting.operations if one.node is call]
        if changes:
            is_of_tables = changes[0].how == "schema" and changes[0].resource == "engine"
            return schema_change(module, call) if is_of_tables else ""
        is_awaited = call in waiting.calls and not is_entered(module, call)
        return f"await {module.text_of(call)}" if is_awaited else ""

    def _enclosed(self, region: Region, name: str, application: _Application) -> Member:
        module, first = region.module, region.statements[0]
        site: Site[ast.AST] = Site(self._rule, module, first)
        shown = f"`{module.excerpt(first)}`"
        outcome: Rewrite | Refused
        try:
            # A new lifespan is one statement more, above the application.
            at = module.tree.body.index(application.statement)
            is_above = application.lifespan is None and at < region.first
            is_below = application.lifespan is None and at > region.first
            edits = self._scripts.enclosed(site, region, name, "", (int(is_above), int(is_below)))
            message = f"the lifespan runs {shown}, in `{name}()`"
            others = tuple(map(module.place, region.statements[1:]))
            outcome = Rewrite(message, edits, [_LATER.format(f"runs `{name}()`")], others)
        except Refused as refused:
            outcome = refused
        return Member(site, outcome, shown, tuple(map(module.place, region.statements)))

    def _of_application(
        self, module: Module, application: _Application, started: list[str], indices: list[int]
    ) -> Member:
        """Return how an application runs code before it serves requests."""
        call, lifespan = application.call, application.lifespan
        site: Site[ast.AST] = Site(self._rule, module, call)
        body = "".join(f"{code}\n" for code in started)
        shown = f"`{module.excerpt(call)}`"
        along = tuple(module.place(module.tree.body[index]) for index in indices)
        if lifespan is not None:
            first = site.insert_statements(module.place(lifespan), "body-start", body)
            return Member(site, Rewrite(f"`{lifespan.name}` does more", [first]), shown, along)
        manager, imports = name_beside(self._project, site, None, _MANAGER)
        iterator, more = name_beside(self._project, site, None, "collections.abc.AsyncIterator")
        name = module.scopes.fresh_name("lifespan", "app_lifespan")
        target = application.statement.targets[0]
        parameter = target.id if isinstance(target, ast.Name) else "app"
        code = (
            f"@{manager}\nasync def {name}({parameter}: {module.text_of(call.func)})"
            f" -> {iterator}[None]:\n{indent(body, _INDENTED)}    yield\n"
        )
        edits: list[Edit] = [
            site.insert_statements(module.place(application.statement), "before", code),
            site.add_keyword(call, "lifespan", name),
            *imports,
            *more,
        ]
        return Member(site, Rewrite(f"{shown} gets a lifespan", edits), shown, along)


def _caveat(shown: str, statement: ast.stmt) -> str:
    call = _call(statement)
    if call is not None and last_name(call.func) in {"create_all", "drop_all"}:
        return _LATER.format(f"{last_name(call.func).partition('_')[0]}s tables")
    return _LATER.format(f"runs {shown}")


def _call(statement: ast.stmt) -> ast.Call | None:
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return call
        case _:
            return None


def _application(project: Project, module: Module) -> _Application | None:
    """Return the one application that a file makes; None if something else may start it."""
    made = [
        (statement, statement.value)
        for statement in module.tree.body
        if isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Call)
        and project.qualified_name(module, statement.value.func) in twins().absorbing.applications
    ]
    if len(made) != 1:
        return None
    statement, call = made[0]
    given = {one.arg: one.value for one in call.keywords}
    if _OTHERS & given.keys() or None in given or b"on_event" in module.source.text:
        return None
    if "lifespan" not in given:
        return _Application(statement, call, None)
    lifespan = _manager_named(project, module, given["lifespan"])
    return None if lifespan is None else _Application(statement, call, lifespan)


def _manager_named(project: Project, module: Module, node: ast.expr) -> ast.AsyncFunctionDef | None:
    """Return the function of the file that ``node`` names, if it makes a context manager."""
    bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else ()
    found = bindings[0].node if len(bindings) == 1 else None
    if not isinstance(found, ast.AsyncFunctionDef) or module.enclosing_function(found) is not None:
        return None
    decorators = [without_arguments(one) for one in found.decorator_list]
    is_manager = [project.qualified_name(module, one) for one in decorators] == [_MANAGER]
    return found if is_manager else None
