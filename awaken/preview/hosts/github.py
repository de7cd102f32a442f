"""Workflow commands of GitHub Actions: annotations at the lines of a pull request.

::

    ::warning title=some-rule%3A manual,file=app/db.py,line=3,endLine=3,col=5,endColumn=20::text

Manual and unsafe sites are warnings, safe ones and advice are notices, and problems of the run are
errors (see ``remaining.SEVERITY``). GitHub shows ten of each kind per step and drops the others
without a word, so the most important ones come first, and where there are more than ten the first
notice says so. Paths are relative to the top of the repository.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from awaken.contract import Finding, Level
from awaken.engine.report import Diagnostic, Report, RootReport
from awaken.preview.counts import diagnostics
from awaken.preview.diffs.source_lines import Region
from awaken.preview.markdown.remaining import SEVERITY, base_of, is_made, places_after, remaining
from awaken.preview.paths import relative
from awaken.preview.report_places import Places
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import printable, visible
from awaken.preview.summary import summary

_SHOWN = 10
"""Annotations of one kind that GitHub shows per step."""
_KINDS = {"warning": "warning", "note": "notice"}
_Properties = Mapping[str, str | int | None]


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield one command per line, as UTF-8."""
    base = base_of(report, asked)
    places = places_after(report, asked.command, base)
    importance = list(SEVERITY)
    result = sorted(  # stable: within a level the order of all forms
        remaining(report, asked.command), key=lambda item: importance.index(item[1].level)
    )
    kinds = Counter(_KINDS[SEVERITY[finding.level]] for _, finding in result)
    # GitHub drops the rest without a word.
    if max(kinds.values(), default=0) > _SHOWN:
        yield command("notice", {"title": "awaken"}, _more(report, asked))
    for root, diagnostic in diagnostics(report):
        yield _diagnostic(root, diagnostic, asked, places)
    for root, finding in result:
        yield _finding(root, finding, places)


def command(name: str, properties: _Properties, message: str) -> bytes:
    """Return the line that makes GitHub run ``name``; properties that are None are left out.

    ``message`` may have several lines; controls in them, or in a property, are escapes.
    """
    given = ",".join(
        f"{key}={_property(printable(str(value)))}"
        for key, value in properties.items()
        if value is not None
    )
    return f"::{name} {given}::{_data(printable(message))}\n".encode()


def _data(text: str) -> str:
    # `%` first, or the escapes would be escaped.
    return text.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    # Colons and commas end a property.
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _more(report: Report, asked: Asked) -> str:
    said = visible(summary(report, asked.command))
    return f"{said} GitHub shows {_SHOWN} annotations of each kind; the log of this step has all."


def _finding(root: RootReport, finding: Finding, places: Places) -> bytes:
    path, region = places.location_of(root, finding.place)
    # The message repeats the place: GitHub's log shows nothing else of it.
    numbers = "".join(f":{number}" for number in (region.line, region.column) if number)
    reason = f" [{finding.reason}]" if finding.reason else ""
    lines = [f"{path}{numbers}: {finding.message}{reason}", finding.help, _way(root, finding)]
    return command(
        _KINDS[SEVERITY[finding.level]],
        {"title": f"{finding.rule}: {finding.level}", "file": path, **_region(region)},
        "\n".join(visible(line) for line in lines if line),
    )


def _way(root: RootReport, finding: Finding) -> str:
    if finding.level is Level.UNSAFE and not is_made(root, finding):
        return "`awaken apply --unsafe-fixes` rewrites it."
    return "`awaken apply` rewrites it." if is_made(root, finding) else ""


def _region(region: Region) -> dict[str, int | None]:
    if not region.line:
        return {}
    # GitHub refuses columns where the lines differ.
    columns = region.column and region.line == region.end_line
    return {
        "line": region.line,
        "endLine": region.end_line,
        "col": region.column if columns else None,
        "endColumn": region.end_column if columns else None,
    }


def _diagnostic(
    root: RootReport | None, diagnostic: Diagnostic, asked: Asked, places: Places
) -> bytes:
    path = diagnostic.path
    if path:
        # Outside of any root, paths are as the user gave them.
        path = relative(asked.current if root is None else root.root, path, places.base)
    line = diagnostic.line or None
    where = path + (f":{line}" if line else "")
    message = visible(f"{where}: {diagnostic.message}" if where else diagnostic.message)
    return command("error", {"title": "awaken", "file": path or None, "line": line}, message)
