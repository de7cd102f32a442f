"""Schedulers that run their jobs in threads, and those that run them in the event loop instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.outside.process_reach import Reach
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.contract import Place, Requirement
from awaken.kit.changes import Member, member
from awaken.kit.imports import replace_name
from awaken.kit.search import nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous.boundaries import Scheduler, boundaries
from awaken.project.source.modules import Module
from awaken.project.source.trees import without_arguments

if TYPE_CHECKING:
    from awaken.project import Project


class Schedulers:
    """Rewrites the schedulers whose jobs become coroutine functions."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._part = part
        self._project: Project = part.project
        self._rule = rule
        self._reach = Reach(part.project, part.entry_points)
        self._needed: dict[str, Place] = {}

    def runs(self, place: Place) -> bool:
        """Whether the coroutine function at ``place`` is passed to a scheduler as a job."""
        return self._is_any and any(
            self._runs(module, node)
            for module, node in self._project.expressions_at(place)
            if isinstance(node, ast.Name | ast.Attribute)
        )

    def _runs(self, module: Module, node: ast.expr) -> bool:
        call = module.call_taking(node)
        known = None if call is None else self._called_pair(module, call)
        if known is None or call is None:
            return False
        scheduler, method = known
        is_job = method in scheduler.jobs and node in (
            *call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "func")
        )  # fmt: skip
        if is_job:
            self._needed.setdefault(scheduler.name, module.place(call))
        return is_job

    def decorates(self, module: Module, decorator: ast.expr) -> bool:
        """Whether ``decorator`` makes a job of the coroutine function that it decorates."""
        plain = without_arguments(decorator)
        known = self._method(module, plain) if isinstance(plain, ast.Attribute) else None
        if known is None or known[1] not in known[0].decorators:
            return False
        self._needed.setdefault(known[0].name, module.place(decorator))
        return True

    def members(self) -> Iterator[Member]:
        """Yield the rewrites of the names of schedulers that have to run jobs in the loop."""
        for name, scheduler in self._names.items():
            if name in self._needed:
                why = self._refusal_of(scheduler)
                # One that runs coroutine functions already stays.
                is_written = why is not None or name != scheduler.twin
                for module, node in uses_of(self._project, {name}) if is_written else ():
                    site: Site[ast.expr] = Site(self._rule, module, node)
                    shown = f"`{module.text_of(node)}`"
                    yield member(site, shown, self._scheduler_rewrite, scheduler, why)

    # ------------------------------------------------------------------------------------- parts
    @cached_property
    def _is_any(self) -> bool:
        """Whether the program names the library of any scheduler: most name none."""
        words = {scheduler.name.partition(".")[0].encode() for scheduler in boundaries().schedulers}
        return bool(self._project.files_with(sorted(words)))

    def _scheduler_rewrite(
        self, site: Site[ast.expr], scheduler: Scheduler, why: Refused | None
    ) -> Rewrite:
        if why is not None:
            raise why
        module, node = site.module, site.node
        written, edits = replace_name(self._project, site, node, scheduler.twin)
        library, targets = scheduler.name.partition(".")[0], self._project.targets
        if targets is not None and targets.admits(library, f"<{scheduler.since}"):
            # Each test client starts it in a loop of its own.
            required = f"{library}>={scheduler.since}"
            edits.append(Requirement(root="", requirement=required, may_replace=True, site=site.id))
        caveat = "jobs that await run in the event loop of the application, not in threads"
        return Rewrite(f"`{module.text_of(node)}` becomes `{written}`", edits, [caveat])

    @cached_property
    def _names(self) -> dict[str, Scheduler]:
        twins = [replace(known, name=known.twin) for known in boundaries().schedulers]
        return {known.name: known for known in (*boundaries().schedulers, *twins)}

    def _called_pair(self, module: Module, call: ast.Call) -> tuple[Scheduler, str] | None:
        return self._method(module, call.func) if isinstance(call.func, ast.Attribute) else None

    def _method(self, module: Module, func: ast.Attribute) -> tuple[Scheduler, str] | None:
        """Return the scheduler of which ``func`` names a method, with the name of that."""
        for owner in self._project.instance_of(module, func.value):
            if owner in self._names:
                return self._names[owner], func.attr
        return None

    def _refusal_of(self, scheduler: Scheduler) -> Refused | None:
        """Return why a scheduler cannot be replaced by its twin, for the whole program."""
        methods = {*scheduler.jobs, *scheduler.starts, *scheduler.configuring}
        spellings = self._project.spellings_of([scheduler.name])
        words = [*spellings, *(f".{name}" for name in sorted(methods))]
        name = scheduler.name.rpartition(".")[2]
        for module, node in nodes_with(self._project, [word.encode() for word in words], ast.AST):
            why = self._text_against(module, node, scheduler)
            if why:
                place = (module.place(node),)
                shown = f"`{name}` run in threads: {why}"
                return Refused(reasons.OTHER_SCHEDULER, shown, because=place)
        return None

    def _text_against(self, module: Module, node: ast.AST, scheduler: Scheduler) -> str:
        match node:
            case ast.ClassDef() if any(
                self._project.qualified_name(module, base) == scheduler.name for base in node.bases
            ):
                return "a class inherits from it"
            case ast.Call() if self._project.qualified_name(module, node.func) == scheduler.name:
                is_chosen = any(part.arg in {None, *scheduler.options} for part in node.keywords)
                return (
                    "the program chooses the executor of its jobs" if node.args or is_chosen else ""
                )
            case ast.Call(func=ast.Attribute()):
                known = self._called_pair(module, node)
                if known is None or known[0] is not scheduler:
                    return ""
                if known[1] in scheduler.configuring:
                    return "the program chooses the executor of its jobs"
                if any(keyword.arg in scheduler.options for keyword in node.keywords):
                    return "the program chooses the executor of a job"
                around = self._part.function_around(module, node)
                is_start = known[1] in scheduler.starts and scheduler.name != scheduler.twin
                if is_start and (
                    around.start < 0 or self._reach.outside_of_loop(around) is not None
                ):
                    return "it is started where no event loop may be running"
                return ""
        return ""
