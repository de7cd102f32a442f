"""The rule that a pass becomes: what foreign code makes of each file, as findings and changes."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from msgspec import structs

from awaken.contract import (
    Constraints,
    Finding,
    Level,
    Place,
    Plan,
    Problem,
    Reason,
    ReplaceStatements,
    SiteId,
    Span,
)
from awaken.editing.comments import lost_comments
from awaken.kit.changes import Decided, Member, decide_group, plan_of
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.passes import reasons
from awaken.passes.asking import Asking
from awaken.passes.hunks import Hunk, ended_as, hunks
from awaken.passes.messages import (
    Answer,
    Failed,
    Item,
    Ready,
    Rewritten,
    Runner,
    Skipped,
    Unchanged,
    Unreadable,
    Unusable,
)
from awaken.passes.page import page_of
from awaken.passes.setups import LIBCST_SETTINGS, setup_of
from awaken.passes.touched import Places
from awaken.workspace.ignores import PathPatterns, leaves_out
from awaken.workspace.parsing import Unparsable
from awaken.workspace.sources import Undecodable, decode, is_python

if TYPE_CHECKING:
    from awaken.passes.settings import PassPlace, PassSettings
    from awaken.project import Project
    from awaken.project.source.modules import Module

_NOT_PROVED = "nothing of it is proved"
_MOST = 0.9
"""The share of its lines above which a file counts as reformatted."""
_FEWEST_LINES = 20
"""Smaller files may well be rewritten as a whole."""


class ForeignPass(Rule):
    """A codemod that awaken runs and has not written.

    ``settings``, ``place`` and ``start`` are those of one pass; ``rule_of`` makes a class of its
    own for it, with its name and phase.
    """

    levels = (Level.UNSAFE, Level.MANUAL, Level.ADVICE)
    is_foreign = True
    reads = (LIBCST_SETTINGS,)
    reasons: ClassVar[tuple[Reason, ...]] = reasons.OF_ALL
    settings: ClassVar[PassSettings]
    start: ClassVar[Runner]
    place: ClassVar[PassPlace]

    def __init__(self) -> None:
        super().__init__()
        self._asking = Asking()

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return a finding for each place that the codemod changes, and a change for each file."""
        answers = self._asking.ask(
            type(self).start,
            setup_of(self.settings, self.place, project),
            lambda ready: [
                Item(path, project.snapshot[path].raw())
                for path in self._paths(project, ready)
                # What is left alone anyway need not be asked about.
                if constraints.may_write(path)
            ],
        )
        if isinstance(answers, Unusable):
            said = f"; it printed: {' '.join(answers.said.split())}" if answers.said.strip() else ""
            return Plan(problems=(self._problem("", f"{answers.why}{said}"),))
        plan = plan_of(list(self._of_answers(project, answers, constraints)))
        problems = [
            self._problem(path, answer.why)
            for path, answer in answers
            if isinstance(answer, Failed)
        ]
        return structs.replace(plan, problems=tuple(problems))

    def _of_answers(
        self, project: Project, answers: Iterable[tuple[str, Answer]], constraints: Constraints
    ) -> Iterator[Decided]:
        for path, answer in answers:
            # Most files stay as they are, and are not parsed for that.
            if isinstance(answer, Failed) or answer == Unchanged():
                continue
            module = project.module(path)
            if module is not None:
                yield self._decided(module, answer, constraints)

    def _paths(self, project: Project, ready: Ready) -> Iterator[str]:
        words = [one.encode() for one in self.settings.triggers or ready.triggers]
        paths = project.site_files(words) if words else filter(is_python, sorted(project.snapshot))
        root = self.place.root
        named = PathPatterns(self.settings.paths, self.place.directory).below(root)
        for path in paths:
            # Stubs are for those codemods alone that were written for them.
            if self.settings.paths:
                is_wanted = leaves_out((named,), f"{root}/".replace("//", "/"), path)
            else:
                is_wanted = path.endswith(".py")
            if is_wanted:
                yield path

    def _problem(self, path: str, why: str) -> Problem:
        return Problem(Place(path, Span(0, 0)), f"{self.name}: {why}")

    # ----------------------------------------------------------------------------------- one file
    def _decided(self, module: Module, answer: Answer, constraints: Constraints) -> Decided:
        decided = self._changes(module, answer, constraints)
        return Decided((*decided.findings, *self._advice(module, answer)), decided.changes)

    def _changes(self, module: Module, answer: Answer, constraints: Constraints) -> Decided:
        match answer:
            case Skipped(why=why):
                return _left_alone(self.name, module, Refused(reasons.SKIPPED, why))
            case Unreadable(why=why, line=line):
                refused = Refused(reasons.UNREADABLE[self.settings.kind], why)
                return _left_alone(self.name, module, refused, _at_line(module, line))
            case Rewritten(content=content):
                try:
                    return self._of_hunks(module, content, constraints)
                except Refused as error:
                    return _left_alone(self.name, module, error)
            case _:
                return Decided(())

    def _advice(self, module: Module, answer: Answer) -> Iterator[Finding]:
        """Yield what the codemod says of a file, in its own words."""
        said = [f"the codemod warns: {one}" for one in getattr(answer, "warnings", ())]
        printed = " ".join(answer.said.split())
        said += [f"the codemod prints: {printed}"] if printed else []
        for message in dict.fromkeys(said):
            digest = hashlib.sha256(f"{self.name}\0{module.path}\0{message}".encode())
            yield Finding(
                site=SiteId(digest.hexdigest()[:16]),
                rule=self.name,
                level=Level.ADVICE,
                place=Place(module.path, Span(0, 0)),
                scope="",
                message=message,
                help="Its author knows what that means.",
            )

    def _of_hunks(self, module: Module, content: bytes, constraints: Constraints) -> Decided:
        """Return what becomes of a file that gets other bytes. Raises Refused."""
        before = module.source.text
        try:
            after = ended_as(before, decode(module.path, content).text)
            found = hunks(before, after)
        except (Undecodable, Unparsable) as error:
            raise Refused(reasons.BROKEN, str(error)) from None
        if not found:
            return Decided(())
        self._require_few(before, found)
        lost = lost_comments(before.decode(), after.decode())
        members = list(self._members(module, found, lost))
        groups, beside = members, reasons.IN_ONE_HUNK
        if not self.settings.per_hunk:
            groups, beside = [list(chain.from_iterable(members))], reasons.BESIDE_ANOTHER
        parts = [decide_group(one, constraints, beside) for one in groups]
        return Decided(
            tuple(chain.from_iterable(part.findings for part in parts)),
            tuple(chain.from_iterable(part.changes for part in parts)),
        )

    def _require_few(self, before: bytes, found: Sequence[Hunk]) -> None:
        """Raise Refused where nearly all lines of a file would be others."""
        lines = before.count(b"\n")
        # Those that differ: a hunk may hold a whole class for the sake of its last line.
        changed = sum(end - start for one in found for start, end in one.changed)
        if self.settings.allow_reformat or lines < _FEWEST_LINES or changed < _MOST * lines:
            return
        raise Refused(reasons.REFORMATS, f"{changed} of {lines} lines")

    def _members(
        self, module: Module, found: Sequence[Hunk], lost: Sequence[str]
    ) -> Iterator[list[Member]]:
        """Yield the sites of hunks that are made together: a site for each place they touch."""
        groups = list(_by_place(Places(module), found))
        count = sum(len(places) for places, _ in groups)
        places = "one place" if count == 1 else f"{count} places"
        message = f"{self.settings.target} changes {places} of this file"
        caveats = [_NOT_PROVED, *(f"the comment {one} is lost" for one in lost)]
        for nodes, together in groups:
            sites: list[Site[ast.AST]] = [Site(self.name, module, node) for node in nodes]
            edits = [
                ReplaceStatements(
                    path=module.path, anchor=one.span, text=one.text, site=sites[0].id
                )
                for one in together
            ]
            yield [
                Member(
                    site,
                    Rewrite(message, () if number else edits, caveats),
                    module.path if site.node is module.tree else module.excerpt(site.node),
                )
                for number, site in enumerate(sites)
            ]


def rule_of(settings: PassSettings, place: PassPlace, start: Runner) -> ForeignPass:
    """Return the rule that a pass becomes."""
    attributes = {
        "__doc__": page_of(settings, place),
        "__module__": ForeignPass.__module__,
        "name": settings.known_as,
        "family": settings.kind,
        "phase": settings.when(),
        "reasons": (*reasons.OF_ALL, reasons.UNREADABLE[settings.kind]),
        "triggers": tuple(one.encode() for one in settings.triggers),
        "settings": settings,
        "start": staticmethod(start),
        "place": place,
        "after": place.after,
    }
    made: type[ForeignPass] = type("ForeignPass", (ForeignPass,), attributes)
    return made()


def _left_alone(
    rule: str, module: Module, refused: Refused, node: ast.AST | None = None
) -> Decided:
    """Return the finding of a file that is left alone, at ``node`` if that is why."""
    site: Site[ast.AST] = Site(rule, module, node or module.tree)
    return Decided((site.refused(refused),))


def _at_line(module: Module, line: int) -> ast.stmt | None:
    """Return the innermost statement on a line, counted from 1."""
    found = [
        one
        for one in module.walk()
        if isinstance(one, ast.stmt) and one.lineno <= line <= (one.end_lineno or line)
    ]
    return max(found, key=lambda one: (one.lineno, one.col_offset), default=None)


def _by_place(
    places: Places, found: Iterable[Hunk]
) -> Iterator[tuple[Sequence[ast.AST], Sequence[Hunk]]]:
    """Yield hunks with the places they touch, those that touch the same place together."""
    nodes: dict[ast.AST, None] = {}
    together: list[Hunk] = []
    for one in found:
        touched = [node for lines in one.changed for node in places.touched(lines)]
        if together and nodes.keys().isdisjoint(touched):
            yield tuple(nodes), tuple(together)
            nodes, together = {}, []
        nodes.update(dict.fromkeys(touched))
        together.append(one)
    if together:
        yield tuple(nodes), tuple(together)
