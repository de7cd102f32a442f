"""The report as one HTML page: no network, and no script needed to read it.

The script of the page filters, walks and remembers what was looked at, in the browser. Every
finding is an element whose ``id`` is its site, so that its address stays the same between runs.
"""

from __future__ import annotations

import importlib.metadata
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from msgspec import Struct

from awaken.contract import Finding, Level
from awaken.engine.report import ChangeSummary, Report, RootReport
from awaken.preview.counts import count, count_rules, diagnostics, located, plural, todo
from awaken.preview.diffs.source_lines import SourceLines
from awaken.preview.html.diff_table import FileTable
from awaken.preview.html.markup import COLOURED_LINES, Code, inline
from awaken.preview.report_places import Places
from awaken.preview.sections import CURE_OF_UNSAFE, waits_to_be_allowed
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import inert_markup, visible
from awaken.preview.summary import summary

_EXCERPT = 8
"""Lines of a site that are shown where it is not rewritten. A choice: most have fewer."""


class Site(Struct, frozen=True, kw_only=True):
    """A finding as the page shows it; ``anchor`` is its address, ``where`` its path and line."""

    anchor: str
    finding: Finding
    path: str
    where: str
    made: bool
    code: tuple[tuple[int, Markup], ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    requires: tuple[tuple[str, str], ...] = ()


class FileSection(Struct, frozen=True):
    """A changed file: its path, its diff as rows, and the sites that it rewrites."""

    path: str
    is_new: bool
    rows: Markup
    sites: tuple[Site, ...]


class Group(Struct, frozen=True):
    """Sites that are left alone for the same reason; ``cure`` is empty where each has its own."""

    name: str
    level: Level
    cure: str
    sites: tuple[Site, ...]


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    yield inert_markup(page(report, asked)).encode()


def page(report: Report, asked: Asked) -> str:
    """Return the page for ``report``; every string in it is escaped by the template."""
    template = template_of("awaken.preview.html", "report.html.jinja")
    return template.render(
        Parts(report, asked).values(),
        version=importlib.metadata.version("awaken"),
        **trusted_parts("report.css", "report.js"),
    )


def template_of(package: str, name: str) -> Template:
    """Return the template ``name`` of a package; it escapes all strings, and shows what hides."""
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(inline=inline, plural=plural, todo=todo)
    return environment.get_template(name)


def trusted_parts(style: str, script: str | None = None) -> dict[str, Any]:
    """Return files of this package as a page takes them, with what its policy says of them."""
    texts = {"style": _resource(style)} | ({"script": _resource(script)} if script else {})
    return {
        **{name: Markup(text) for name, text in texts.items()},  # noqa: S704  files of this package
        "digests": {name: _digest(text) for name, text in texts.items()},
    }


def _shown(value: object) -> object:
    return visible(value) if type(value) is str else value


def _resource(name: str) -> str:
    return resources.files("awaken.preview.html").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return what the page's policy names, so that the browser runs nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


class Parts:
    """The parts of the page, worked out from a report."""

    def __init__(self, report: Report, asked: Asked) -> None:
        self._report = report
        self._asked = asked
        self._places = Places(asked.current)
        self._lines: dict[tuple[int, str], SourceLines] = {}

    def values(self) -> dict[str, Any]:
        """Return what the template asks for."""
        groups = self._groups()
        return {
            "command": self._asked.command,
            "again": self._asked.again,
            "summary": summary(self._report, self._asked.command),
            "counts": count(self._report),
            "rules": count_rules(self._report),
            "names": self._report.rules,
            "files": self._files(),
            "waiting": [one for one in groups if one.level in {Level.SAFE, Level.UNSAFE}],
            "manual": [one for one in groups if one.level is Level.MANUAL],
            "advice": [one for one in groups if one.level is Level.ADVICE],
            "plans": [
                (outline, waits_to_be_allowed(root, outline))
                for root in self._report.roots
                for outline in root.outlines
            ],
            "diagnostics": [
                (self._places.path(root, one.path) if root and one.path else one.path, one)
                for root, one in diagnostics(self._report)
            ],
            "left_to_do": [
                (self._places.path(root, one.path), one)
                for root in self._report.roots
                for one in root.left_to_do
            ],
            "notes": [note for root in self._report.roots for note in root.notes],
            "held": sum(len(root.suppressed) for root in self._report.roots),
            "targets": [(self._places.path(root, ""), root.targets) for root in self._report.roots],
        }

    def _files(self) -> list[FileSection]:
        tables = [
            (number, root, file, FileTable(file, self._asked.context))
            for number, root in enumerate(self._report.roots)
            for file in root.files
        ]
        is_coloured = sum(table.size for *_, table in tables) <= COLOURED_LINES
        sites: defaultdict[tuple[int, str], list[Site]] = defaultdict(list)
        for number, root in enumerate(self._report.roots):
            changes = {change.id: change for change in (*root.changes, *root.pending)}
            for finding in root.findings:
                if finding.change in root.made:
                    site = self._site(number, root, finding, changes)
                    sites[number, finding.place.path].append(site)
        sections = [
            FileSection(
                self._places.path(root, file.path),
                file.before is None,
                Markup("").join(map(Markup, table.rows(coloured=is_coloured))),
                tuple(sites.pop((number, file.path), ())),
            )
            for number, root, file, table in tables
        ]
        # A change may rewrite nothing at the place of one of its sites.
        for (number, path), others in sites.items():
            shown = self._places.path(self._report.roots[number], path)
            sections.append(FileSection(shown, False, Markup(), tuple(others)))
        return sections

    def _groups(self) -> list[Group]:
        """Return what is not rewritten, the largest groups first."""
        numbers = {id(root): number for number, root in enumerate(self._report.roots)}
        alike: defaultdict[tuple[Level, str], list[Site]] = defaultdict(list)
        for root, finding in located(self._report):
            if finding.change not in root.made:
                site = self._site(numbers[id(root)], root, finding, {})
                alike[finding.level, finding.reason or finding.rule].append(site)
        ordered = sorted(alike.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            Group(name, level, _shared_cure(sites, level), tuple(sites))
            for (level, name), sites in ordered
        ]

    def _site(
        self,
        number: int,
        root: RootReport,
        finding: Finding,
        changes: dict[Any, ChangeSummary],
    ) -> Site:
        path, region = self._places.of(root, finding.place)
        made = finding.change in root.made
        change = changes.get(finding.change)
        return Site(
            anchor=_anchor(number, finding.site),
            finding=finding,
            path=path,
            where=f"{path}:{region.line}" if region.line else path,
            made=made,
            code=() if made else self._excerpt(number, root, finding),
            related=tuple(
                (f"{related}:{place.line}", one.note)
                for one in finding.related
                for related, place in [self._places.of(root, one)]
            ),
            requires=tuple(
                (_anchor(number, changes[one].sites[0]), changes[one].title)
                for one in (change.requires if change else ())
                if one in changes and changes[one].sites
            ),
        )

    def _excerpt(
        self, number: int, root: RootReport, finding: Finding
    ) -> tuple[tuple[int, Markup], ...]:
        path = finding.place.path
        if path not in root.sources:
            return ()
        key = number, path
        if key not in self._lines:
            self._lines[key] = SourceLines(root.sources[path].text)
        lines = self._lines[key]
        region = lines.region(finding.place.span)
        first = region.line - 1
        shown = lines.lines[first : min(region.last_line, first + _EXCERPT)]
        code = Code(path, shown, [], coloured=False)
        return tuple((first + index + 1, code.markup(index)) for index in range(len(shown)))


def _shared_cure(sites: list[Site], level: Level) -> str:
    cures = {site.finding.help for site in sites}
    if cures == {""} and level is Level.UNSAFE:
        return CURE_OF_UNSAFE
    return cures.pop() if len(cures) == 1 else ""


def _anchor(number: int, site: str) -> str:
    """Return the address of a site; its identity holds within its project."""
    return f"{site}-{number}" if number else site
