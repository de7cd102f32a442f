"""An explanation on a console: a place in its lines of code, and rows that say why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from awaken.contract import Finding, Level, Place
from awaken.engine.explaining.explanation import Explanation, Site, Why
from awaken.engine.planning.engine_reasons import NEEDS_OTHER_VERSIONS
from awaken.engine.report import SuppressedBy
from awaken.preview.console.page import Page, joined_text
from awaken.preview.counts import plural
from awaken.preview.diffs.file_diff import FileDiff
from awaken.preview.diffs.source_lines import Region, SourceLines
from awaken.preview.paths import relative
from awaken.preview.sections import CURE_OF_UNSAFE, Section
from awaken.preview.terminal.frames import CodeFrames
from awaken.preview.terminal.outline_page import OutlinePage

_SUPPRESSED = {
    SuppressedBy.COMMENT: "a comment suppresses it",
    SuppressedBy.SETTINGS: "a setting for this path suppresses it",
    SuppressedBy.BASELINE: "the baseline suppresses it, because it lists the site",
    SuppressedBy.SINCE: "its lines have not changed since the commit of --since",
}
_FEW = 8
"""As many files that a change touches are named, and shown, one by one."""
_STATUS = {
    "rewritten": "`awaken apply` rewrites it",
    "waiting": "`awaken apply --unsafe-fixes` rewrites it; without that option it stays unchanged",
}


def print_explanation(explanation: Explanation, console: Console, current: Path) -> None:
    """Print all there is to say of the place, paths relative to ``current``."""
    _Printed(explanation, Page(console), current).print()


class _Printed:
    def __init__(self, explanation: Explanation, page: Page, current: Path) -> None:
        self._explanation = explanation
        self._asked = explanation.asked
        self._page = page
        self._current = current
        report, own = explanation.report, explanation.source
        # A report has the text of files with findings; the asked place may have none.
        self._sources = {} if report is None else dict(report.sources)
        if own is not None:
            self._sources[own.path] = own
        self._lines = SourceLines(b"" if own is None else own.text)
        regions = [self._lines.region(site.finding.place.span) for site in explanation.sites]
        self._code = CodeFrames(
            page, self._asked.path, self._lines, [*regions, *self._asked_region()]
        )

    def print(self) -> None:
        if not self._explanation.sites:
            self._no_site()
        elif self._explanation.note:
            self._page.sentence(self._explanation.note)
        for number, site in enumerate(self._explanation.sites):
            if number:
                self._page.row()
            self._site(site)

    # -------------------------------------------------------------------------------------- sites
    def _site(self, site: Site) -> None:
        finding, page = site.finding, self._page
        level = finding.level.value
        region = self._lines.region(finding.place.span)
        # The frame shows one line more than the place has.
        digits = len(str(region.last_line + 1))
        page.hanging(
            joined_text([(finding.rule, "code.name"), " ", (level, level), ": "]),
            finding.message,
            "path",
        )
        where = f"{self._path(self._asked.path)}:{region.line}:{region.column}"
        scope = "" if finding.scope == "<module>" else f" in {finding.scope}"
        page.row(" " * digits, ("--> ", "faint"), where, (scope, "faint"))
        self._code.print(region, digits, level)
        for label, text in self._facts(site):
            self._page.print_labelled(digits, label, text)
        self._rewrite(site)

    def _facts(self, site: Site) -> Iterator[tuple[str, str]]:
        finding = site.finding
        if site.matched == "statement":
            line = f"line {self._asked.line}"
            yield "note", f"{line} is part of the statement that holds this site"
        if site.matched == "change":
            yield (
                "note",
                f"this site changes line {self._asked.line}, or adds lines above it",
            )
        yield "what happens", self._status(site)
        for text, why in site.pieces:
            yield "adds", f"`{text}`: {why}"
        yield from _reason(site)
        for place in finding.related:
            yield "because", self._link(place)
        yield "what to do", finding.help or _cure(site)
        yield from self._versions(finding)
        yield from self._outline(site)
        yield "also edits", self._others(site)
        for change in site.requires:
            yield "requires", f"{change.title} ({', '.join(map(self._path, change.paths))})"
        # A site that has a comment already needs no second one.
        if site.status != "held" and finding.level is not Level.ADVICE:
            comment = f"`# awaken: ignore[{finding.rule}]`"
            label = "to hide it" if finding.level is Level.MANUAL else "to leave it out"
            yield label, f"write {comment} at the end of its line, or on a separate line above"

    def _outline(self, site: Site) -> Iterator[tuple[str, str]]:
        """Yield the contents of the change, or without one its obstacles."""
        outline, report = site.outline, self._explanation.report
        if outline is None or report is None:
            return
        yield "together", outline.title
        page = OutlinePage(self._page, report, self._current)
        for part in outline.parts if outline.change is None else ():
            if part.key == "stops":
                for row in page.rows(part):
                    yield part.heading.lower(), row

    def _others(self, site: Site) -> str:
        others = _other_files(site)
        if len(others) <= _FEW:
            return ", ".join(map(self._path, others))
        return f"{plural(len(others), 'other file')}: `awaken diff` shows them"

    def _status(self, site: Site) -> str:
        if site.suppressed is not None:
            place = site.suppressed.place
            where = "" if place is None else f" ({self._where(place)})"
            note = f": `{site.suppressed.note}`" if site.suppressed.note else ""
            return f"nothing, because {_SUPPRESSED[site.suppressed.by]}{where}{note}"
        if site.finding.level is Level.ADVICE:
            return "this is advice, without a rewrite"
        return _STATUS.get(site.status, "it stays unchanged until somebody changes it by hand")

    def _versions(self, finding: Finding) -> Iterator[tuple[str, str]]:
        report = self._explanation.report
        if finding.reason == NEEDS_OTHER_VERSIONS.code and report is not None:
            for target in report.targets:
                yield "declared", f"{target.name} {target.specifier} ({target.origin})"

    def _rewrite(self, site: Site) -> None:
        files, what = site.files, "The rewrite of this site"
        if len(files) > _FEW:
            files = tuple(candidate for candidate in files if candidate.path == self._asked.path)
            what = "Its part of the rewrite"
        for file in files:
            path = self._path(file.path)
            created = "(new file) " if file.before is None else ""
            self._page.row()
            self._page.row((f"{what}, in ", "faint"), created, (path, "path"))
            section = Section(path, file.before, (), file, frozenset())
            FileDiff(self._page, section).print()

    # ------------------------------------------------------------------------------------ no site
    def _no_site(self) -> None:
        asked, page = self._asked, self._page
        column = "" if asked.column is None else f":{asked.column}"
        where = f"{self._path(asked.path)}:{asked.line}{column}"
        page.row((where, "path"), ": nothing is rewritten here.")
        digits = len(str(asked.line + 1))
        for region in self._asked_region():
            self._code.print(region, digits, "advice")
        for why in _telling(self._explanation.whys):
            self._page.print_labelled(digits, "why", why.message)
            self._page.print_labelled(digits, "what to do", why.help)
        self._page.print_labelled(digits, "nearest", _nearest(self._explanation.nearest))

    def _asked_region(self) -> list[Region]:
        """Return the part of the asked line that is code, if the file was read."""
        asked = self._asked
        if self._explanation.source is None or asked.line > len(self._lines.lines):
            return []
        text = self._lines.lines[asked.line - 1]
        start = len(text) - len(text.lstrip()) + 1
        if asked.column is not None:
            return [Region(asked.line, asked.column, asked.line, asked.column + 1)]
        return [Region(asked.line, start, asked.line, max(len(text.rstrip()) + 1, start))]

    # -------------------------------------------------------------------------------------- words
    def _link(self, place: Place) -> str:
        """Return a place with its note and the code on its line."""
        source = self._sources.get(place.path)
        lines = SourceLines(b"" if source is None else source.text)
        number = lines.position(place.span.start)[0]
        code = lines.lines[number - 1].strip() if number <= len(lines.lines) else ""
        return f"{self._where(place)} {place.note}".rstrip() + (f": `{code}`" if code else "")

    def _where(self, place: Place) -> str:
        source = self._sources.get(place.path)
        path = self._path(place.path)
        if source is None:
            return path
        line, column = SourceLines(source.text).position(place.span.start)
        return f"{path}:{line}:{column}"

    def _path(self, path: str) -> str:
        root = self._explanation.root
        return self._asked.given if root is None else relative(root, path, self._current)


def _cure(site: Site) -> str:
    """Return what to do about a site that says nothing of it itself."""
    if site.reason is not None:
        return site.reason.help
    if site.finding.level is Level.UNSAFE:
        return f"{CURE_OF_UNSAFE[:1].upper()}{CURE_OF_UNSAFE[1:]}."
    return ""


def _telling(whys: Sequence[Why]) -> Sequence[Why]:
    """Return the reasons that say something of the place, or else one for all rules."""
    told = [why for why in whys if why.code not in {"no-trigger", "not-this-line"}]
    if told or not whys:
        return told
    return [Why(code="no-trigger", message="no rule finds anything to rewrite on this line")]


def _other_files(site: Site) -> list[str]:
    paths = () if site.change is None else site.change.paths
    return [path for path in paths if path != site.finding.place.path]


def _reason(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the reason's code, and what it says in general where the site says something else."""
    finding = site.finding
    if finding.reason:
        engine = finding.reason.startswith("engine/")
        yield (
            "reason",
            finding.reason if engine else f"{finding.reason}, see `awaken rules {finding.rule}`",
        )
    if site.reason is not None and not _is_filled(site.reason.message, finding.message):
        yield "in general", site.reason.message


def _is_filled(template: str, message: str) -> bool:
    """Whether ``message`` is ``template`` with words in place of its ``{}``."""
    parts = re.split(r"\{\w*\}", template)
    return re.fullmatch(".*".join(map(re.escape, parts)), message, re.DOTALL) is not None


def _nearest(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    if len(lines) == 1:
        return f"the nearest site is at line {lines[0]}"
    return f"the nearest sites are at lines {lines[0]} and {lines[1]}"
