"""Code that fails today: who catches the failure, or expects it, here and in what leads here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.knowledge.running import running
from awaken.project.source.trees import keyword_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.graph.call_paths import Leading
    from awaken.project.source.modules import Module

HIDDEN = "it fails today, and a surrounding `except` hides that"
HOOKED = "it fails today, and the program's `sys.excepthook` gets that"
KEPT = "it fails today, and the task or thread that runs it keeps that"


def caught_around(
    project: Project, module: Module, node: ast.AST, classes: AbstractSet[str | None]
) -> Iterator[Place]:
    """Yield what catches one of ``classes`` around ``node`` in its function, or expects it."""
    for guard in project.effects.guards(module, node):
        if guard.ends is not None or not classes.isdisjoint(guard.catches):
            yield guard.place


def _caught_above(
    project: Project, leading: Leading, classes: AbstractSet[str | None]
) -> Iterator[Place]:
    """Yield what catches one of ``classes`` around the calls by which functions lead on."""
    for place in leading.calls:
        for module, node in project.calls_at(place):
            yield from caught_around(project, module, node, classes)


def observers(
    project: Project, module: Module, node: ast.AST, classes: AbstractSet[str | None]
) -> Iterator[tuple[str, Place]]:
    """Yield who observes a failure of one of ``classes`` at ``node``: handlers, threads and tasks.

    They are in its function and in callers. Each has the clause that says so. The program's own
    ``sys.excepthook`` gets what nobody catches.
    """
    yield from ((HIDDEN, place) for place in caught_around(project, module, node, classes))
    yield from caught_by_callers(project, module, node, classes)


def caught_by_callers(
    project: Project, module: Module, node: ast.AST, classes: AbstractSet[str | None]
) -> Iterator[tuple[str, Place]]:
    """Yield the same of the functions that lead to ``node`` alone."""
    function = module.enclosing_def(node)
    calls = [(module, node)] if isinstance(node, ast.Call) else []
    if function is not None:
        leading = project.calls.leading_to(module, function)
        yield from observers_above(project, leading, classes)
        calls = [call for place in leading.calls for call in project.calls_at(place)]
    # Frameworks catch what the functions raise that they call; only code of a script lets it out.
    for home, call in calls:
        if home.enclosing_def(call) is None:
            hooks = project.replaced_names.of_library(home, call, "sys.excepthook")
            yield from ((HOOKED, hook.place) for hook in hooks)


def observers_above(
    project: Project, leading: Leading, classes: AbstractSet[str | None]
) -> Iterator[tuple[str, Place]]:
    """Yield the same of the calls by which functions lead on."""
    yield from ((HIDDEN, place) for place in _caught_above(project, leading, classes))
    yield from ((KEPT, place) for place in _kept_above(project, leading))


def _kept_above(project: Project, leading: Leading) -> Iterator[Place]:
    """Yield the threads that call one of the functions, and the tasks that run one of them.

    The failure comes out where somebody asks for it, if anybody does.
    """
    yield from project.in_force.threads.begun_with(leading.functions)
    for place in leading.calls:
        for module, call in project.calls_at(place):
            if project.effects.awaitable(module, call) == "coroutine":
                yield from _keepers_of(project, module, call)


def _keepers_of(project: Project, module: Module, call: ast.Call) -> Iterator[Place]:
    for fate in project.effects.fates(module, call):
        if fate.kind == "run" and (
            fate.by in running().keeping or _returns_failures(project, fate.place)
        ):
            yield fate.place


def _returns_failures(project: Project, place: Place) -> bool:
    """Whether a call takes what is at ``place``, and returns exceptions in place of results."""
    for module, node in project.expressions_at(place):
        taking = module.call_taking(node) or module.call_taking(module.parent(node) or node)
        kept = None if taking is None else keyword_of(taking, "return_exceptions")
        if kept is not None and not (isinstance(kept, ast.Constant) and kept.value is False):
            return True
    return False
