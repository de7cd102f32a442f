"""The changes of a run as folded diffs, one for each file, for comments and issues."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from awaken.engine.report import FileChange, Report, RootReport
from awaken.preview.counts import plural
from awaken.preview.diffs.patch import file_patch
from awaken.preview.markdown.remaining import base_of
from awaken.preview.paths import relative
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import printable, visible

_TILDES = re.compile("~{3,}")


def folded_diffs(report: Report, asked: Asked) -> Iterator[str]:
    """Yield the change of each file as Markdown; nothing after ``apply``, which has made it."""
    if asked.command == "apply":
        return
    base = base_of(report, asked)
    for root in report.roots:
        for file in root.files:
            path = relative(root.root, file.path, base)
            before = None if file.before is None else file.before.raw()
            patch = file_patch(path, before, file.after.raw(), asked.context)
            if patch:
                text = printable(patch.decode("utf-8", "replace").replace("\r\n", "\n"))
                yield folded_text(path, _sites(root, file), text)


def folded_text(path: str, sites: int, patch: str) -> str:
    """Return a fold with the patch of one file; its fence is longer than any within."""
    fence = "~" * max(3, *(len(run) + 1 for run in _TILDES.findall(patch)), 3)
    said = f", {plural(sites, 'site')}" if sites else ""
    return (
        f"<details><summary><code>{html.escape(visible(path))}</code>{said}</summary>\n\n"
        f"{fence}diff\n{patch}{'' if patch.endswith(chr(10)) else chr(10)}{fence}\n\n</details>\n\n"
    )


def _sites(root: RootReport, file: FileChange) -> int:
    """Return how many sites of a file its changes rewrite."""
    return sum(
        finding.place.path == file.path and finding.change in root.change_ids
        for finding in root.findings
    )
