"""The rule that a pass becomes: what foreign code makes of each file, as findings and changes."""

from __future__ import annotations

import ast
import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

import msgspec
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
from awaken.passes.pass_settings import PassPlace, PassSettings
from awaken.passes.protocol import (
    Answer,
    Failed,
    Item,
    Loaded,
    Ready,
    Rewritten,
    Runner,
    Running,
    Setup,
    Skipped,
    Unchanged,
    Unreadable,
    Unusable,
    Warned,
)
from awaken.passes.setups import LIBCST_SETTINGS, setup_of, unread_settings
from awaken.passes.statement_hunks import Hunk, ended_as, hunks
from awaken.project.source.lines.statement_lines import Lines, lines_of
from awaken.project.source.modules import Module
from awaken.workspace.ignores import PathPatterns, leaves_out
from awaken.workspace.parsing import Unparsable
from awaken.workspace.sources import SourceFile, Undecodable, decode, is_python

if TYPE_CHECKING:
    from awaken.passes.pass_settings import PassPlace, PassSettings
    from awaken.project import Project

_LIBRARIES = {"libcst": "a codemod of LibCST", "bowler": "a script of Bowler"}

_SAFETY = """\
Every change is *unsafe*, because awaken does not prove the behaviour of foreign code. It checks
that the rest of the program reads the same, and that each file compiles. The encoding, the line
ends and the last line of a file stay the same. A message counts the changed places of a file, and
names each comment that would be lost.

The code runs in its own process, with a fresh copy for each file. It may only write temporary
files, and has no network if the system allows that. This is not a sandbox: run only code that you
trust.
"""
_NOT_PROVED = "nothing of it is proved"
_MOST = 0.9
"""The share of its lines above which a file counts as reformatted."""
_FEWEST_LINES = 20
"""Smaller files may well be rewritten as a whole."""


def page_of(settings: PassSettings, place: PassPlace) -> str:
    """Return the page as Markdown: what is run, who named it, and why nothing of it is proved."""
    what, named = _LIBRARIES[settings.kind], place.origin or "the command line"
    only = (
        "" if place.is_trusted else "; it runs with --trust-passes, or after `awaken trust`, only"
    )
    rows = [f"- {label}: {value}" for label, value in _said_messages(settings)]
    blocks = [
        f"Runs `{settings.target}`, {what} that {named} names{only}.",
        "## What",
        f"Awaken has not written `{settings.target}` and does not know what it does. It gets one "
        "file after the other and gives each back, and what differs becomes the change of the file."
        if not settings.per_hunk
        else f"Awaken has not written `{settings.target}` and does not know what it does. It gets "
        "one file after the other, and each place that it gives back otherwise is a change.",
        "\n".join(rows),
        "## Safety",
        _SAFETY,
    ]
    return "\n\n".join(block for block in blocks if block)


def _said_messages(settings: PassSettings) -> Iterator[tuple[str, str]]:
    """Yield the messages of the pass in addition to its code."""
    arguments = [f"`{name} = {value}`" for name, value in settings.named_arguments()]
    for label, words in (
        ("arguments", [*arguments, *(f"`{argument}`" for argument in settings.args)]),
        ("files", [f"`{path}`" for path in settings.paths]),
        ("files that hold one of", [f"`{trigger}`" for trigger in settings.triggers]),
    ):
        if words:
            yield label, ", ".join(words)


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
        self._asking = _Asking()

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return a finding for each place that the codemod changes, and a change for each file."""
        unread = unread_settings(self.settings, project)
        if unread is not None:
            return Plan(problems=(self._problem(unread.path, unread.message),))
        answers = self._asking.ask(
            type(self).start,
            setup_of(self.settings, self.place, project),
            lambda ready: [
                Item(path, project.snapshot[path].raw())
                for path in self._paths(project, ready)
                # Files that are left alone anyway need no question.
                if constraints.may_write(path)
            ],
        )
        if isinstance(answers, Unusable):
            return Plan(problems=(self._unusable(project, answers),))
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
                yield self._decide(module, answer, constraints)

    def _paths(self, project: Project, ready: Ready) -> Iterator[str]:
        words = [trigger.encode() for trigger in self.settings.triggers or ready.triggers]
        paths = project.site_files(words) if words else filter(is_python, sorted(project.snapshot))
        root = self.place.root
        named = PathPatterns(self.settings.paths, self.place.directory).patterns_below(root)
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

    def _unusable(self, project: Project, answer: Unusable) -> Problem:
        printed = " ".join(answer.said.split())
        why = f"{answer.why}; it printed: {printed}" if printed else answer.why
        # The start of a file means no line.
        end = _line_of(project.snapshot.get(answer.path), answer.line).end
        return Problem(Place(answer.path, Span(end, end)), f"{self.name}: {why}")

    # ----------------------------------------------------------------------------------- one file
    def _decide(self, module: Module, answer: Answer, constraints: Constraints) -> Decided:
        decided = self._changes(module, answer, constraints)
        return Decided((*decided.findings, *_advice(self.name, module, answer)), decided.changes)

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

    def _of_hunks(self, module: Module, content: bytes, constraints: Constraints) -> Decided:
        """Return the changes of a file that gets other bytes. Raises Refused."""
        before = module.source.text
        try:
            after = ended_as(before, decode(module.path, content).text)
            result = hunks(before, after)
        except (Undecodable, Unparsable) as error:
            raise Refused(reasons.BROKEN, str(error)) from None
        if not result:
            return Decided(())
        self._require_few(before, result)
        members = list(self._members(module, result))
        groups, beside = members, reasons.IN_ONE_HUNK
        if not self.settings.per_hunk:
            groups, beside = [list(chain.from_iterable(members))], reasons.BESIDE_ANOTHER
        parts = [decide_group(group, constraints, beside) for group in groups]
        return Decided(
            tuple(chain.from_iterable(part.findings for part in parts)),
            tuple(chain.from_iterable(part.changes for part in parts)),
        )

    def _require_few(self, before: bytes, found: Sequence[Hunk]) -> None:
        """Raise Refused where nearly all lines of a file would be others."""
        lines = before.count(b"\n")
        # Those that differ: a hunk may hold a whole class for the sake of its last line.
        changed = sum(end - start for item in found for start, end in item.changed)
        if self.settings.allow_reformat or lines < _FEWEST_LINES or changed < _MOST * lines:
            return
        raise Refused(reasons.REFORMATS, f"{changed} of {lines} lines")

    def _members(self, module: Module, found: Sequence[Hunk]) -> Iterator[list[Member]]:
        """Yield the sites of hunks that are made together: a site for each place they touch."""
        groups = list(_by_place(_Places(module), found))
        count = sum(len(places) for places, _ in groups)
        places = "one place" if count == 1 else f"{count} places"
        message = f"{self.settings.target} changes {places} of this file"
        lost = _lost_comments(module, found)
        for nodes, together in groups:
            # A comment may go to another place of what is changed together.
            gone = _lost_comments(module, together) if self.settings.per_hunk else lost
            caveats = [_NOT_PROVED, *(f"the comment {name} is lost" for name in gone)]
            sites: list[Site[ast.AST]] = [Site(self.name, module, node) for node in nodes]
            edits = [
                ReplaceStatements(
                    path=module.path, anchor=item.span, text=item.text, site=sites[0].id
                )
                for item in together
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
        "triggers": tuple(trigger.encode() for trigger in settings.triggers),
        "settings": settings,
        "start": staticmethod(start),
        "place": place,
        "after": place.after,
    }
    made: type[ForeignPass] = type("ForeignPass", (ForeignPass,), attributes)
    return made()


def _lost_comments(module: Module, changed: Iterable[Hunk]) -> list[str]:
    """Return the comments that some hunks have no more."""
    text, several = module.source.text, tuple(changed)
    before = b"".join(text[item.span.start : item.span.end] for item in several)
    return lost_comments(before.decode(), "".join(item.text for item in several))


def _left_alone(
    rule: str, module: Module, refused: Refused, node: ast.AST | None = None
) -> Decided:
    """Return the finding of a file that is left alone, at ``node`` if that is why."""
    site: Site[ast.AST] = Site(rule, module, node or module.tree)
    return Decided((site.refusal(refused),))


def _at_line(module: Module, line: int) -> ast.stmt | None:
    """Return the innermost statement on a line, counted from 1."""
    nodes = [
        node
        for node in module.walk()
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line)
    ]
    return max(nodes, key=lambda statement: (statement.lineno, statement.col_offset), default=None)


def _by_place(
    places: _Places, found: Iterable[Hunk]
) -> Iterator[tuple[Sequence[ast.AST], Sequence[Hunk]]]:
    """Yield hunks with the places they touch, those that touch the same place together."""
    nodes: dict[ast.AST, None] = {}
    together: list[Hunk] = []
    for item in found:
        touched = [node for lines in item.changed for node in places.places_on(lines)]
        if together and nodes.keys().isdisjoint(touched):
            yield tuple(nodes), tuple(together)
            nodes, together = {}, []
        nodes.update(dict.fromkeys(touched))
        together.append(item)
    if together:
        yield tuple(nodes), tuple(together)


def _advice(rule: str, module: Module, answer: Answer) -> Iterator[Finding]:
    """Yield a finding for each thing that was said of a file, and for what was printed meanwhile.

    It is at its line; a message without one is at the first.
    """
    seen: Counter[str] = Counter()
    for item in dict.fromkeys(_said_items(answer)):
        # Lines move, and the words stay.
        again = f"\0{seen[item.text]}" if seen[item.text] else ""
        digest = hashlib.sha256(f"{rule}\0{module.path}\0{item.text}{again}".encode())
        seen[item.text] += 1
        yield Finding(
            site=SiteId(digest.hexdigest()[:16]),
            rule=rule,
            level=Level.ADVICE,
            place=Place(module.path, _line_of(module.source, item.line)),
            scope="",
            message=item.text,
            help="Its author knows what that means.",
        )


def _said_items(answer: Answer) -> Iterator[Warned]:
    for item in getattr(answer, "warnings", ()):
        yield Warned(f"the codemod warns: {' '.join(item.text.split())}", item.line)
    if printed := " ".join(answer.said.split()):
        yield Warned(f"the codemod prints: {printed}")


def _line_of(source: SourceFile | None, line: int) -> Span:
    """Return a line, counted from 1, without the space at its edges; else the start of the file."""
    spans = [] if source is None else source.line_spans()
    if source is None or not 0 < line <= len(spans):
        return Span(0, 0)
    span = spans[line - 1]
    text = source.text[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip())
    return Span(start, start + len(text.strip()))


class _Asking:
    """Asks foreign code, and remembers what it said.

    A pass plans again where one of its sites is suppressed; what the code makes of a file stays.
    """

    def __init__(self) -> None:
        self._loaded: dict[bytes, Loaded] = {}
        self._answers: dict[bytes, Answer] = {}

    def ask(
        self, start: Runner, setup: Setup, choose: Callable[[Ready], Sequence[Item]]
    ) -> list[tuple[str, Answer]] | Unusable:
        """Return what the code makes of the files that are chosen, by their paths."""
        try:
            key = hashlib.sha256(msgspec.msgpack.encode(setup)).digest()
        except UnicodeEncodeError:
            return Unusable(
                "codemods run in directories whose path is UTF-8, and this one's is not"
            )
        running: Running | None = None
        try:
            loaded = self._loaded.get(key)
            if loaded is None:
                running = start(setup)
                loaded = self._loaded[key] = running.loaded
            if isinstance(loaded, Unusable):
                return loaded
            items = choose(loaded)
            keys = [_key(key, item) for item in items]
            missing = [number for number, item in enumerate(keys) if item not in self._answers]
            if missing:
                running = running or start(setup)
                answers = running.answers([items[number] for number in missing])
                self._answers.update(zip((keys[item] for item in missing), answers, strict=True))
        finally:
            if running is not None:
                running.end()
        return [(item.path, self._answers[entry]) for item, entry in zip(items, keys, strict=True)]


def _key(setup: bytes, item: Item) -> bytes:
    digest = hashlib.sha256(setup)
    digest.update(msgspec.msgpack.encode(item))
    return digest.digest()


class _Places:
    """The logical lines of a file: statements, headers of those with blocks, decorators.

    If several begin on one line, the outermost represents all.
    """

    def __init__(self, module: Module) -> None:
        result: dict[int, tuple[int, ast.AST]] = {}
        for lines, node in _logical_lines(module):
            result.setdefault(lines.start, (lines.end, node))
        self._whole = module.tree
        self._starts = sorted(result)
        self._ends = [result[start][0] for start in self._starts]
        self._nodes = [result[start][1] for start in self._starts]

    def places_on(self, lines: Lines) -> list[ast.AST]:
        """Return the places that have some of ``lines`` for their own, or that hold them.

        Without one it is the next one, because comments belong to the code below them; after the
        last one the file.
        """
        first = bisect_right(self._ends, lines.start)
        end = bisect_left(self._starts, lines.end)
        return self._nodes[first:end] or self._nodes[first : first + 1] or [self._whole]


def _logical_lines(module: Module) -> Iterator[tuple[Lines, ast.AST]]:
    for node in module.walk():
        match node:
            case ast.match_case(pattern=pattern, body=body):
                yield _header(pattern, body), pattern
            case ast.stmt() | ast.excepthandler():
                blocks = getattr(node, "body", None) or getattr(node, "cases", ())
                yield (_header(node, blocks) if blocks else lines_of(node)), node
                for item in getattr(node, "decorator_list", ()):
                    yield lines_of(item), item


def _header(node: ast.stmt | ast.excepthandler | ast.pattern, blocks: list[ast.stmt]) -> Lines:
    # A block may be on the line of its header.
    return Lines(node.lineno - 1, max(node.lineno, lines_of(blocks[0]).start))
