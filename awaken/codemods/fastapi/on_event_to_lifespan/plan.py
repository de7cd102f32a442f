"""The rule itself: the handlers of each application move together, or none does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.home import Home, home_of
from awaken.codemods.fastapi.on_event_to_lifespan.judgement import Lifespan, edits_of, planned
from awaken.codemods.fastapi.on_event_to_lifespan.obstacles import Obstacles
from awaken.codemods.fastapi.on_event_to_lifespan.steps import Steps
from awaken.contract import (
    Change,
    ChangeId,
    Finding,
    Level,
    Phase,
    Pins,
    Place,
    Plan,
    Problem,
    Reason,
    Rewriter,
    Rule,
    Span,
)
from awaken.project.modules import Module
from awaken.project.sites import Refused, Site
from awaken.project.wiring.applications import Application
from awaken.project.wiring.registrations import WORDS, Registration

if TYPE_CHECKING:
    from awaken.project import Project


class OnEventToLifespan(Rule):
    """Moves the startup and shutdown handlers of an application into its lifespan."""

    name: ClassVar[str] = "on-event-to-lifespan"
    family: ClassVar[str] = "fastapi"
    phase: ClassVar[Phase] = Phase.LIFESPAN
    since: ClassVar[str] = "0.1.0"
    triggers: ClassVar[tuple[bytes, ...]] = WORDS
    needs: ClassVar[Mapping[str, str]] = {"fastapi": ">=0.93"}
    preview: ClassVar[bool] = True
    reasons: ClassVar[tuple[Reason, ...]] = reasons.ALL

    def plan(self, project: Project, pins: Pins) -> Plan:
        """Return one finding per registration, and one change per application."""
        if not project.site_files(self.triggers):
            return Plan()
        return _Planning(project, pins, self.name).plan()

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the functions that write the lifespan and take the registrations away."""
        from awaken.codemods.fastapi.on_event_to_lifespan import rewrite  # noqa: PLC0415

        return {
            "lifespan": rewrite.write_lifespan,
            "constructor": rewrite.edit_constructor,
            "function": rewrite.edit_function,
            "removed-function": rewrite.remove_function,
            "statement": rewrite.edit_statement,
            "inserted": rewrite.insert_statement,
        }

    def prove(self, after: Project, changes: Sequence[Change]) -> Iterable[Problem]:
        """Yield every handler that is left on an application that has a lifespan."""
        web, files = after.web, {path for change in changes for path in change.paths}
        guilty = tuple(change.id for change in changes)
        given = {
            one.made for lifespan in web.registrations.lifespans for one in lifespan.to.applications
        }
        for one in web.registrations.all:
            made = {application.made for application in one.to.applications}
            if made & given and files & {one.place.path, *(place.path for place in made)}:
                what = "a handler is left on an application that has a lifespan"
                yield Problem(Place(one.place.path, one.place.span), what, guilty)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What was found of one application."""

    findings: tuple[Finding, ...]
    change: Change | None = None


class _Planning:
    """One plan for one project."""

    def __init__(self, project: Project, pins: Pins, rule: str) -> None:
        self._project = project
        self._pins = pins
        self._rule = rule
        self._taken: dict[str, set[str]] = {}
        self._registrations = project.web.registrations.all
        self._obstacles = Obstacles(project)

    def plan(self) -> Plan:
        decided = [*self._loose()]
        for application, registrations in self._by_application().items():
            decided.append(self._decide(application, registrations))
        findings = {one.site: one for part in decided for one in part.findings}
        changes = [part.change for part in decided if part.change is not None]
        return Plan(tuple(findings.values()), tuple(changes))

    def _by_application(self) -> dict[Application, list[Registration]]:
        found: dict[Application, list[Registration]] = {}
        for one in self._registrations:
            for application in one.to.applications:
                found.setdefault(application, []).append(one)
        return found

    def _loose(self) -> Iterator[_Decided]:
        """Yield the registrations of which the application cannot be told."""
        for one in self._registrations:
            if not one.to.applications:
                refused = self._obstacles.of_loose(one)
                yield _Decided((self._site(one).refused(refused),))

    def _site(self, registration: Registration) -> Site:
        return Site(self._rule, registration.module, registration.node)

    def _decide(self, application: Application, registrations: list[Registration]) -> _Decided:
        sites = [self._site(one) for one in registrations]
        try:
            lifespan = self._lifespan(application, registrations)
        except Refused as refused:
            return _Decided(tuple(one.refused(refused) for one in sites))
        left_out = self._pins.left_out.intersection(one.id for one in sites)
        if left_out:
            beside = Refused(reasons.BESIDE_LEFT_OUT)
            return _Decided(tuple(one.refused(beside) for one in sites))
        self._taken.setdefault(lifespan.home.module.path, set()).add(lifespan.name)
        return self._change(lifespan, sites)

    def _lifespan(
        self, application: Application, registrations: Sequence[Registration]
    ) -> Lifespan:
        self._obstacles.look_at(application, registrations)
        home = home_of(application, self._module(application.made.path))
        self._obstacles.look_at_home(home)
        steps = Steps(self._project, home)
        found = [steps.of(one) for one in registrations]
        lifespan = planned(self._project, home, found, self._taken.get(home.module.path, set()))
        lifespan.caveats += self._obstacles.caveats(application)
        return lifespan

    def _module(self, path: str) -> Module:
        """Return the file as the registrations know it."""
        known = next((one.module for one in self._registrations if one.module.path == path), None)
        module = known or self._project.module(path)
        if module is None:
            raise Refused(reasons.NO_PLACE, path)
        return module

    def _change(self, lifespan: Lifespan, sites: Sequence[Site]) -> _Decided:
        level = Level.UNSAFE if lifespan.caveats else Level.SAFE
        identity = ChangeId(f"{self._rule}:{sites[0].id}")
        made = _made(lifespan.home)
        findings = [
            Finding(
                site=site.id,
                rule=self._rule,
                level=level,
                place=site.place,
                scope=site.module.scope_name(site.node),
                message=_message(lifespan),
                chain=(made,),
                change=identity,
            )
            for site in sites
        ]
        change = Change(
            id=identity,
            rule=self._rule,
            title=_message(lifespan),
            level=level,
            sites=tuple(site.id for site in sites),
            edits=tuple(edits_of(lifespan, sites[0].id)),
        )
        return _Decided(tuple(findings), change)


def _made(home: Home) -> Place:
    span = home.module.span(home.statement)
    return Place(home.module.path, Span(span.start, span.end), "the application is made here")


def _message(lifespan: Lifespan) -> str:
    number = len(lifespan.steps)
    what = "the handler moves" if number == 1 else f"the {number} handlers move"
    owner = f"`{lifespan.home.variable}`" if lifespan.home.variable else "the application"
    sentence = f"{what} into the lifespan of {owner}"
    caveats = list(dict.fromkeys(lifespan.caveats))
    return f"{sentence}; {', and '.join(caveats)}" if caveats else sentence
