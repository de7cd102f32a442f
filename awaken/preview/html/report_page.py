"""The report as one HTML page: no network, and no script needed to read it.

The script of the page filters, walks and remembers what was looked at, in the browser. Every
finding is an element whose ``id`` is its site, so that its address stays the same between runs.

Code as HTML: escaped, with its colours as short classes.
"""

from __future__ import annotations

import importlib.metadata
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from itertools import islice, pairwise, zip_longest
from typing import TYPE_CHECKING, Any

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined, Template
from jinja2.bccache import Bucket
from markupsafe import Markup, escape
from msgspec import Struct

from awaken.contract import ChangeId, Finding, Level, Outline
from awaken.engine.report import ChangeSummary, FileChange, Report, RootReport, SuppressedSite
from awaken.preview.console.code import Highlighted, Marks
from awaken.preview.console.text import Stretch
from awaken.preview.counts import count, count_rules, diagnostics, plural, todo
from awaken.preview.diffs.emphasis import Emphasis, emphasis
from awaken.preview.diffs.hunks import Block, Hunk, hunks
from awaken.preview.diffs.source_lines import SourceLines
from awaken.preview.documents.settings_text import settings_text
from awaken.preview.report_places import Places
from awaken.preview.sections import CURE_OF_UNSAFE, waits_to_be_allowed
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert_markup, visible
from awaken.preview.summary import summary

if TYPE_CHECKING:
    from awaken.verifying.reached_changes import Reach

_CLASSES = {
    "code.keyword": "k",
    "code.number": "n",
    "code.string": "s",
    "code.comment": "c",
    "code.name": "f",
    "code.decorator": "d",
}
_WORD = "word"
COLOURED_LINES = 20_000
"""A page with more lines of code than these has no colours: they double its size."""
_EXCERPT = 8
"""Lines of a site that are shown where it is not rewritten. A choice: most have fewer."""
_GAP = "<tr class=gap><td colspan=4>⋯"
_NOTHING = "<td><td class=none>"
_ROWS = 200
"""Rows of a table: the browser lays out a table as a whole, so long diffs are several.

The height of a block in ``report.css`` is that of so many rows.
"""


class Code:
    """The lines of one text; ``shown`` are the stretches of lines (from 0) that are asked for."""

    def __init__(
        self, path: str, lines: Sequence[str], shown: Sequence[range], *, coloured: bool
    ) -> None:
        self._shown = Highlighted(path, lines, shown if coloured else ())

    @property
    def lines(self) -> Sequence[str]:
        """The lines as they are in the file."""
        return self._shown.lines

    def markup(self, index: int, words: Sequence[tuple[int, int]] = ()) -> Markup:
        """Return the line at ``index`` (from 0); ``words`` are the characters that changed."""
        marks: Marks = [(start, stop, _WORD) for start, stop in words]
        text = self._shown.text(index, marks)
        return coloured_markup(text.plain, text.stretches)


def coloured_markup(plain: str, stretches: Sequence[Stretch]) -> Markup:
    """Return ``plain`` with an element around each stretch: a class, or a mark for a word."""
    if not stretches:
        return escape(plain)
    edges = sorted({0, len(plain), *(edge for stretch in stretches for edge in stretch[:2])})
    pieces: list[Markup] = []
    for start, stop in pairwise(edges):
        styles = {style for first, last, style in stretches if first <= start and stop <= last}
        piece = escape(plain[start:stop])
        for name in sorted(styles & _CLASSES.keys()):
            piece = Markup("<i class={}>{}</i>").format(_CLASSES[name], piece)
        pieces.append(Markup("<b>{}</b>").format(piece) if _WORD in styles else piece)
    return Markup("").join(pieces)


def rows(text: str) -> Markup:
    """Return text of several lines with nothing invisible in it but their ends."""
    return Markup("\n").join(escape(visible(line)) for line in text.splitlines())


def inline(text: str) -> Markup:
    """Return a message, with what is between backticks as code and nothing invisible in it."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:  # a backtick of its own
        return escape(visible(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


class Site(Struct, frozen=True, kw_only=True):
    """A finding as the page shows it; ``anchor`` is its address, ``where`` its path and line.

    ``change`` is what the finding's change does beyond this site, and ``reach`` what the tests do
    at it: both at the first site of the change alone. No test reaches a site that is missed, while
    tests reach others of the change.
    """

    anchor: str
    finding: Finding
    path: str
    where: str
    made: bool
    step: int
    code: tuple[tuple[int, Markup], ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    requires: tuple[tuple[str, str], ...] = ()
    change: ShownChange | None = None
    reach: Reach | None = None
    is_missed: bool = False


class ShownChange(Struct, frozen=True):
    """A change that is more than its first site: its title, sites and files."""

    title: str
    sites: int
    files: tuple[str, ...]


class FileSection(Struct, frozen=True):
    """A changed file: its path, the tables of its diff as rows, and the sites that it rewrites."""

    path: str
    step: int
    is_new: bool
    blocks: tuple[Markup, ...]
    sites: tuple[Site, ...]


class Group(Struct, frozen=True):
    """Sites that are left alone for the same reason; ``cure`` is empty where each has its own."""

    name: str
    level: Level
    cure: str
    sites: tuple[Site, ...]


class Held(Struct, frozen=True):
    """A suppressed site: its place, and where it is said that it stays (empty if elsewhere)."""

    where: str
    step: int
    suppressed: SuppressedSite
    said_at: str


class Parts:
    """The parts of the page, worked out from a report."""

    def __init__(self, report: Report, asked: Asked) -> None:
        self._report = report
        self._asked = asked
        self._places = Places(asked.current)
        self._tables = [
            (number, root, file, _FileTable(file, asked.context))
            for number, root in enumerate(report.roots)
            for file in root.files
        ]

    @property
    def size(self) -> int:
        """The number of lines that the diffs show."""
        return sum(table.size for *_, table in self._tables)

    def values(self, *, coloured: bool) -> dict[str, Any]:
        """Return what the template asks for."""
        course = self._asked.course
        roots = self._report.roots
        groups = self._groups()
        return {
            "command": self._asked.command,
            "again": self._asked.again,
            "course": course,
            "verdict": course.verdict or summary(self._report, self._asked.command),
            "counts": count(self._report),
            "rules": count_rules(self._report),
            "names": self._report.rules,
            "sections": self._sections(coloured=coloured),
            "waiting": [group for group in groups if group.level in {Level.SAFE, Level.UNSAFE}],
            "manual": [group for group in groups if group.level is Level.MANUAL],
            "advice": [group for group in groups if group.level is Level.ADVICE],
            "plans": [
                (outline, self._rows(root, outline), waits_to_be_allowed(root, outline))
                for root in roots
                for outline in root.outlines
            ],
            "diagnostics": [
                (self._places.path(root, item.path) if root and item.path else item.path, item)
                for root, item in diagnostics(self._report)
            ],
            "left_to_do": [
                (self._places.path(root, item.path), item)
                for root in roots
                for item in root.left_to_do
            ],
            "notes": list(dict.fromkeys(note for root in roots for note in root.notes)),
            "held": [self._held_site(root, site) for root in roots for site in root.suppressed],
            "roots": [(self._places.path(root, "") or ".", root) for root in roots],
            "settings": self._settings(),
        }

    def _settings(self) -> list[tuple[str, str]]:
        """Return the settings of each root as text, those of several steps each once."""
        result: dict[tuple[str, str], None] = {}
        for root in self._report.roots:
            if root.settings is not None:
                lines = settings_text([root.settings], self._asked.current, rule_defaults=False)
                text = "\n".join(lines)
                result[self._places.path(root, "") or ".", text] = None
        return list(result)

    def _rows(self, root: RootReport, outline: Outline) -> list[list[tuple[str, str, int]]]:
        """Return the rows of each part: text, place (empty for none) and number."""
        return [
            [
                (row.text, "" if row.place is None else self._where(root, row.place), row.count)
                for row in part.rows
            ]
            for part in outline.parts
        ]

    def _where(self, root: RootReport, place: Any) -> str:
        path, region = self._places.location_of(root, place)
        return f"{path}:{region.line}" if region.line else path

    def _held_site(self, root: RootReport, one: SuppressedSite) -> Held:
        said_at = "" if one.place is None else self._where(root, one.place)
        return Held(self._where(root, one.finding.place), root.step, one, said_at)

    def _sections(self, *, coloured: bool) -> list[FileSection]:
        sites: defaultdict[tuple[int, str], list[Site]] = defaultdict(list)
        for number, root in enumerate(self._report.roots):
            for site in self._sites(number, root, made=True):
                sites[number, site.finding.place.path].append(site)
        sections = [
            FileSection(
                self._places.path(root, file.path),
                root.step,
                file.before is None,
                tuple(table.blocks(coloured=coloured)),
                tuple(sites.pop((number, file.path), ())),
            )
            for number, root, file, table in self._tables
        ]
        # A change may rewrite nothing at the place of one of its sites.
        for (number, path), others in sites.items():
            root = self._report.roots[number]
            shown = self._places.path(root, path)
            sections.append(FileSection(shown, root.step, False, (), tuple(others)))
        return sections

    def _groups(self) -> list[Group]:
        """Return what is not rewritten, the largest groups first."""
        alike: defaultdict[tuple[Level, str], list[Site]] = defaultdict(list)
        for number, root in enumerate(self._report.roots):
            for site in self._sites(number, root, made=False):
                finding = site.finding
                alike[finding.level, finding.reason or finding.rule].append(site)
        ordered = sorted(alike.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            Group(name, level, _shared_cure(sites, level), tuple(sites))
            for (level, name), sites in ordered
        ]

    def _sites(self, number: int, root: RootReport, *, made: bool) -> Iterator[Site]:
        """Yield the sites of a root that the run rewrites, or the others."""
        changes = {change.id: change for change in (*root.changes, *root.pending)}
        shown: set[ChangeId] = set()
        for finding in root.findings:
            if (finding.change in root.change_ids) is made:
                change = None if finding.change is None else changes.get(finding.change)
                is_first = change is not None and change.id not in shown
                if change is not None:
                    shown.add(change.id)
                yield self._site(number, root, finding, changes, change if is_first else None)

    def _site(
        self,
        number: int,
        root: RootReport,
        finding: Finding,
        changes: Mapping[ChangeId, ChangeSummary],
        change: ChangeSummary | None,
    ) -> Site:
        path, region = self._places.location_of(root, finding.place)
        made = finding.change in root.change_ids
        reach = None
        if finding.change is not None:
            reach = self._asked.course.reaches.get((root.step, root.root, finding.change))
        return Site(
            anchor=self._anchor(number, finding.site),
            finding=finding,
            path=path,
            where=f"{path}:{region.line}" if region.line else path,
            made=made,
            step=root.step,
            code=() if made else self._excerpt(root, finding),
            related=tuple((self._where(root, place), place.note) for place in finding.related),
            requires=tuple(
                (self._anchor(number, changes[candidate].sites[0]), changes[candidate].title)
                for candidate in (change.requires if change else ())
                if candidate in changes and changes[candidate].sites
            ),
            change=None if change is None else self._shown_change_beyond(root, finding, change),
            reach=None if change is None else reach,
            is_missed=reach is not None and finding.site in reach.missed,
        )

    def _shown_change_beyond(
        self, root: RootReport, finding: Finding, change: ChangeSummary
    ) -> ShownChange | None:
        """Return what a change is beyond its first site; None where the site says it all."""
        title = "" if change.title == finding.message else change.title
        is_here = change.paths in {(), (finding.place.path,)}
        if not title and is_here and len(change.sites) == 1:
            return None
        files = () if is_here else tuple(self._places.path(root, path) for path in change.paths)
        return ShownChange(title, len(change.sites), files)

    def _excerpt(self, root: RootReport, finding: Finding) -> tuple[tuple[int, Markup], ...]:
        path = finding.place.path
        if path not in root.sources:
            return ()
        lines = self._places.lines(root, path)
        region = lines.region(finding.place.span)
        first = region.line - 1
        shown = lines.lines[first : min(region.last_line, first + _EXCERPT)]
        code = Code(path, shown, [], coloured=False)
        return tuple((first + index + 1, code.markup(index)) for index in range(len(shown)))

    def _anchor(self, number: int, site: str) -> str:
        """Return the address of a site; its identity holds within its project."""
        return f"{site}-{number}" if number else site


def _shared_cure(sites: Iterable[Site], level: Level) -> str:
    cures = {site.finding.help for site in sites}
    if cures == {""} and level is Level.UNSAFE:
        return CURE_OF_UNSAFE
    return cures.pop() if len(cures) == 1 else ""


class _FileTable:
    """The diff of one file, worked out once: how many lines it shows, and its blocks of rows."""

    def __init__(self, change: FileChange, context: int) -> None:
        self._path = change.path
        self._old = SourceLines(change.before.text if change.before else b"")
        self._new = SourceLines(change.after.text)
        self._hunks = hunks(self._old.whole, self._new.whole, context)

    @property
    def size(self) -> int:
        """The number of lines that the table shows."""
        return sum(
            max(block.stop - block.start, block.new_stop - block.new_start)
            for hunk in self._hunks
            for block in hunk
        )

    def blocks(self, *, coloured: bool) -> Iterator[Markup]:
        """Yield the rows of each table as HTML; only coloured ones mark the words that changed."""
        rows = self._rows(coloured=coloured)
        while block := "".join(islice(rows, _ROWS)):
            yield Markup(block)  # noqa: S704  rows of escaped code

    def _rows(self, *, coloured: bool) -> Iterator[str]:
        olds = [range(hunk[0].start, hunk[-1].stop) for hunk in self._hunks]
        news = [range(hunk[0].new_start, hunk[-1].new_stop) for hunk in self._hunks]
        old = Code(self._path, self._old.lines, olds, coloured=coloured)
        new = Code(self._path, self._new.lines, news, coloured=coloured)
        for number, hunk in enumerate(self._hunks):
            if number:
                yield _GAP
            yield from _hunk(hunk, old, new, coloured=coloured)


def _hunk(hunk: Hunk, old: Code, new: Code, *, coloured: bool) -> Iterator[str]:
    for block in hunk:
        if block.equal:
            for index in range(block.start, block.stop):
                yield f"<tr><td>{index + 1}<td colspan=3>{old.markup(index)}"
        else:
            yield from _changed_names(block, old, new, coloured=coloured)


def _changed_names(block: Block, old: Code, new: Code, *, coloured: bool) -> Iterator[str]:
    olds, news = range(block.start, block.stop), range(block.new_start, block.new_stop)
    words = (
        emphasis([old.lines[index] for index in olds], [new.lines[index] for index in news])
        if coloured
        else Emphasis([[] for _ in olds], [[] for _ in news], [])
    )
    for left, right in zip_longest(olds, news):
        before = after = _NOTHING
        if left is not None:
            code = old.markup(left, words.old[left - olds.start])
            before = f"<td>{left + 1}<td class=old><del>{code}</del>"
        if right is not None:
            code = new.markup(right, words.new[right - news.start])
            after = f"<td>{right + 1}<td class=new><ins>{code}</ins>"
        yield f"<tr>{before}{after}"


def write(report: Report, asked: Asked, compiled: bytes = b"") -> Iterator[bytes]:
    """Yield the form, as UTF-8; ``compiled`` is what ``compiled_template`` gave."""
    yield inert_markup(page(report, asked, compiled)).encode()


def page(report: Report, asked: Asked, compiled: bytes = b"") -> str:
    """Return the page for ``report``; every string in it is escaped by the template."""
    parts = Parts(report, asked)
    code = _Compiled(compiled)
    return template_of("awaken.preview.html", "report.html.jinja", code).render(
        title=f"awaken {asked.command}",
        sites=count(report).sites,
        version=importlib.metadata.version("awaken"),
        **parts.values(coloured=parts.size <= COLOURED_LINES),
        **trusted_parts("report.css", "report.js"),
    )


@cache
def compiled_template() -> bytes:
    """Return the code of the page, so that another process need not compile it again."""
    code = _Compiled()
    template_of("awaken.preview.html", "report.html.jinja", code)
    return code.text


class _Compiled(BytecodeCache):
    """The code of one template, in memory: whoever can write it into a file runs in our process."""

    def __init__(self, text: bytes = b"") -> None:
        self.text = text

    def load_bytecode(self, bucket: Bucket) -> None:
        if self.text:
            bucket.bytecode_from_string(self.text)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.text = bucket.bytecode_to_string()


def template_of(package: str, name: str, compiled: BytecodeCache | None = None) -> Template:
    """Return the template ``name`` of a package; it escapes all strings, and shows what hides."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        bytecode_cache=compiled,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown_value,
    )
    environment.filters.update(inline=inline, plural=plural, rows=rows, todo=todo)
    return environment.get_template(name)


def trusted_parts(style: str, script: str | None = None) -> dict[str, Any]:
    """Return files of this package as a page takes them, with what its policy says of them."""
    texts = {"style": _resource(style)} | ({"script": _resource(script)} if script else {})
    return {
        **{name: Markup(text) for name, text in texts.items()},  # noqa: S704  files of this package
        "digests": {name: _digest(text) for name, text in texts.items()},
    }


def _shown_value(value: object) -> object:
    return visible(value) if type(value) is str else value


def _resource(name: str) -> str:
    return resources.files("awaken.preview.html").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return what the page's policy names, so that the browser runs nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
