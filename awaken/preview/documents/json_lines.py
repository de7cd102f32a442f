"""The report as one JSON object per line, for programs that read while awaken writes.

Every line has a ``kind``. The first is ``run`` (the version, what ran, the roots), the last one
``summary``; between them come ``finding``, ``held``, ``change``, ``file``, ``diagnostic``,
``left-to-do`` and ``plan``, each with the keys that it has in the form ``json`` (see
``awaken.preview.documents.document``). A stream without its summary is cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from awaken.engine.report import Report
from awaken.preview.documents.document import Tables, encoded_table, header
from awaken.preview.streams.output import Asked


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form."""
    return json_lines(report, asked.current, asked.command)


def json_lines(report: Report, current: Path, command: str = "check") -> Iterator[bytes]:
    """Yield the lines for ``report``, paths relative to ``current``, as UTF-8."""
    tables = Tables(report, current)
    first = {**header(command), "rules": report.rules, "roots": list(tables.roots())}
    yield encoded_table({"kind": "run", **first})
    for kind, part in tables.parts().values():
        for item in part():
            yield encoded_table({"kind": kind, **item})
    yield encoded_table({"kind": "summary", **tables.summary()})
