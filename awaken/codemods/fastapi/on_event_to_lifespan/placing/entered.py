"""Tests that run the handlers by hand: they enter the lifespan instead."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.applications import Application
from awaken.project.frameworks.web.wiring import Run
from awaken.project.source.modules import Module


class Entered(Struct, frozen=True):
    """A function in which startup and shutdown are around statements of one block.

    ``always``: shutdown is run as well if these fail, or nothing of the kind can happen.
    """

    module: Module
    function: ast.AsyncFunctionDef
    receiver: str
    statements: tuple[ast.stmt, ...]
    always: bool


def functions_to_enter(project: Project, application: Application) -> list[Entered]:
    """Return the functions that run the handlers of ``application``. Raises Refused."""
    entries: list[Entered] = []
    runs = [candidate for candidate in project.web.runs.all if candidate.may_be_of(application)]
    for run in runs:
        # A shutdown is looked for from its startup on.
        if run.node.attr != "startup":
            continue
        pair = _pair(run)
        if pair is None:
            raise _refusal(run)
        entries.append(pair)
    inside = [(entry.module.path, entry.function) for entry in entries]
    for run in runs:
        function = run.module.enclosing_function(run.node)
        # `router.startup()` runs nothing once the handlers have moved: every run needs its pair.
        others = inside.count((run.module.path, function))  # type: ignore[arg-type]
        alone = run.of.only_application == application
        if others != 1 or not alone:
            raise _refusal(run)
    return entries


def _refusal(run: Run) -> Refused:
    text = run.module.excerpt(run.node)
    return Refused(reasons.ROUTER_STARTUP, text, because=(run.place,))


def _pair(run: Run) -> Entered | None:
    """Return the statements between the startup ``run`` and the shutdown of its application."""
    module = run.module
    function, statement = module.enclosing_function(run.node), module.statement_of(run.node)
    receiver = module.text_of(run.receiver)
    if not isinstance(function, ast.AsyncFunctionDef) or statement is None:
        return None
    if not _is_run(module, statement, receiver, "startup"):
        return None
    block = module.block_of(statement)
    rest = block[block.index(statement) + 1 :]
    first = rest[0] if rest else None
    # `async with` takes the place of `try` and `finally` alone.
    if isinstance(first, ast.Try) and not first.handlers and not first.orelse:
        if len(first.finalbody) == 1 and _is_run(module, first.finalbody[0], receiver, "shutdown"):
            return Entered(module, function, receiver, (statement, first), always=True)
        return None
    ends = [index for index, node in enumerate(rest) if _is_run(module, node, receiver, "shutdown")]
    # A `with` block needs at least one statement in it.
    if len(ends) != 1 or ends[0] == 0:
        return None
    between = rest[: ends[0]]
    # A failing test does not raise at the `yield` of its fixture.
    yields = len(between) == 1 and _is_yield(between[0])
    return Entered(module, function, receiver, (statement, *rest[: ends[0] + 1]), always=yields)


def _is_run(module: Module, statement: ast.stmt, receiver: str, event: str) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Await)
        and module.text_of(statement.value) == f"await {receiver}.router.{event}()"
    )


def _is_yield(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield)


def places_of(one: Entered) -> list[Place]:
    """Return the places of the statements that change, or are indented."""
    note = "enters the lifespan instead"
    return [one.module.place(part, note) for part in one.statements]
