"""The outcome of components: the changes of those that convert, and the obstacles of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.components.engines.beside import Beside
from awaken.codemods.sqlalchemy.session_to_async.components.leftover import removed_at_last
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    Component,
    Components,
    piece_with,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import Piece
from awaken.codemods.sqlalchemy.session_to_async.decide.left_alone import LeftAlone
from awaken.codemods.sqlalchemy.session_to_async.outlines.effect_lines import Outlines
from awaken.codemods.sqlalchemy.session_to_async.suites.suite_settings import test_settings
from awaken.contract import ChangeId, Constraints, Finding, InsertStatements, Outline
from awaken.kit.changes import (
    Decided,
    Member,
    connected_groups,
    decide_group,
    members_by_site,
)
from awaken.kit.sites import Rewrite
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart


_CAVEAT = "other tasks run while it waits"


class Outcome:
    """Makes findings and changes of the components of one program."""

    def __init__(
        self,
        part: SynchronousPart,
        rule: str,
        components: Components,
        constraints: Constraints,
        outlines: Outlines,
    ) -> None:
        self._outlines = outlines
        self._part = part
        self._project = part.project
        self._rule = rule
        self._components = components
        self._constraints = constraints

    def decisions(self) -> Iterator[Decided]:
        """Yield the findings, and a change for each group of components that share something."""
        seen: set[ChangeId] = set()
        for decision in self._decisions():
            # A reason that stops several components is reported for each of them.
            changes = tuple(change for change in decision.changes if change.id not in seen)
            seen.update(change.id for change in changes)
            yield Decided(decision.findings, changes, decision.outlines)
        others = tuple(sorted(seen))
        yield from removed_at_last(self._project, self._components, self._constraints, others)

    def _decisions(self) -> Iterator[Decided]:
        twins = self._components.twins
        beside = Beside(self._project, self._rule, self._components.resources_to_copy, twins)
        for group in self._groups():
            members = [member for component in group for member in component.members]
            names = self._components.used_by(group)
            pieces = [piece for component in group for piece in component.pieces]
            in_place = sorted(names & self._components.in_place)
            for name in in_place:
                members += self._rebound(beside, name, pieces)
            making = {name: self._components.making(name, pieces) for name in self._components.made}
            rebound = [self._components.shared[name] for name in in_place]
            members = beside.with_rewrites(members, pieces, making, rebound)
            if members:
                members = _never_safe(_once(self._with_settings(members_by_site(members))))
                decided = decide_group(members, self._constraints, reasons.BESIDE_ANOTHER)
                outlines = self._made_outlines(pieces, members, names, decided)
                yield structs.replace(_told_finding(decided, members), outlines=outlines)
        yield from LeftAlone(self._components, self._constraints, self._outlines).decisions()

    def _made_outlines(
        self,
        pieces: Collection[Piece],
        members: Sequence[Member],
        names: Collection[str],
        decided: Decided,
    ) -> tuple[Outline, ...]:
        """Return the outline of a change; what only changes names needs none."""
        if len(decided.changes) != 1 or not self._outlines.has_functions(pieces):
            return ()
        return (self._outlines.outline_of_change(pieces, members, decided.changes[0].id, names),)

    def _groups(self) -> list[list[Component]]:
        """Return the components that convert, in one list those that share something."""
        converting = [number for number, item in enumerate(self._components.all) if item.converts]
        links = [
            (number, ("shared", name))
            for number in converting
            for name in self._components.used_by([self._components.all[number]])
        ]
        loading = [item for item in converting if self._components.all[item].loads_objects]
        if self._components.everywhere:
            links += [(number, ("shared", "")) for number in loading]
        links += [
            (number, ("written", edit.path))
            for number in converting
            for edit in self._inserted_statements(self._components.all[number])
        ]
        keys = [*converting, *dict.fromkeys(key for _, key in links)]
        groups = connected_groups(keys, links)
        components = [
            [self._components.all[one] for one in each if isinstance(one, int)] for each in groups
        ]
        if loading:
            self._components.all[loading[0]].members += self._components.everywhere
        return [each for each in components if each]

    def _inserted_statements(self, component: Component) -> Iterator[InsertStatements]:
        making = (self._components.made[name] for name in self._components.used_by([component]))
        for member in chain(component.members, *making):
            for edit in member.outcome.edits if isinstance(member.outcome, Rewrite) else ():
                if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                    yield edit

    def _with_settings(self, members: Sequence[Member]) -> list[Member]:
        """Return the members; the first function carries what the tests among them need."""
        result = list(members)
        functions = {(step.path, step.start) for step in self._part.steps}
        pieces = [piece_with(item) for item in members]
        changed = [item for item in pieces if (item.path, item.start) in functions]
        if not any(is_test_file(candidate.path) for candidate in changed):
            return result
        for number, (member, piece) in enumerate(zip(members, pieces, strict=True)):
            if piece in changed and isinstance(member.outcome, Rewrite):
                settings = test_settings(self._part, member.site.id)
                edits = [*member.outcome.edits, *settings]
                outcome = structs.replace(member.outcome, edits=edits)
                result[number] = structs.replace(member, outcome=outcome)
                break
        return result

    def _rebound(self, beside: Beside, name: str, pieces: Collection[Piece]) -> list[Member]:
        edits = beside.rebound(self._components.shared[name])
        first, *others = self._components.making(name, pieces)
        if edits and isinstance(first.outcome, Rewrite):
            outcome = structs.replace(first.outcome, edits=[*first.outcome.edits, *edits])
            first = structs.replace(first, outcome=outcome)
        return [first, *others]


def _never_safe(members: Sequence[Member]) -> list[Member]:
    """Return members of which at least one says what may change."""
    result = list(members)
    outcomes = [member.outcome for member in result]
    if any(isinstance(candidate, Rewrite) and candidate.caveats for candidate in outcomes):
        return result
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Rewrite):
            outcome = structs.replace(outcome, caveats=[_CAVEAT])  # noqa: PLW2901
            result[number] = structs.replace(result[number], outcome=outcome)
            break
    return result


def _told_finding(decided: Decided, members: Iterable[Member]) -> Decided:
    """Return each finding with the outcome of its own site, and the chain to the cause.

    The outline tells of all of them together, so none leads to the others.
    """
    outcomes = {member.site.id: member.outcome for member in members}
    findings: list[Finding] = []
    for finding in decided.findings:
        outcome = outcomes[finding.site]
        if finding.change is None or not isinstance(outcome, Rewrite):
            findings.append(finding)
            continue
        findings.append(
            structs.replace(finding, message=outcome.full_message, related=outcome.related)
        )
    return Decided(tuple(findings), decided.changes)


def _once(members: Iterable[Member]) -> list[Member]:
    """Return members of which no two insert the same statements below the imports of a file."""
    seen: set[tuple[str, object]] = set()
    result: list[Member] = []
    for member in members:
        if not isinstance(member.outcome, Rewrite):
            result.append(member)
            continue
        edits = []
        for edit in member.outcome.edits:
            if isinstance(edit, InsertStatements) and edit.where == "after-imports":
                key = (edit.path, edit.data)
                if key in seen:
                    continue
                seen.add(key)
            edits.append(edit)
        outcome = structs.replace(member.outcome, edits=edits)
        result.append(structs.replace(member, outcome=outcome))
    return result
