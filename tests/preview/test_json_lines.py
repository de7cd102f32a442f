from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from awkward import ROOT, everything, only_diagnostics
from report_builders import report

from awaken.engine.report import Report
from awaken.preview.documents.document import document
from awaken.preview.documents.json_lines import json_lines

PARTS = {"finding": "findings", "held": "held", "change": "changes", "file": "files",
         "diagnostic": "diagnostics", "left-to-do": "left_to_do",
         "plan": "plans"}  # fmt: skip


def read(of: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(json_lines(of, ROOT, "diff")).splitlines()]


def test_the_lines_hold_what_the_document_holds() -> None:
    lines = read(everything())
    whole = json.loads(document(everything(), ROOT, "diff"))

    again: dict[str, Any] = {name: [] for name in PARTS.values()}
    for line in lines:
        kind = line.pop("kind")
        if kind in PARTS:
            again[PARTS[kind]].append(line)
        elif kind == "run":
            again |= line
        else:
            again[kind] = line

    assert again == whole
    assert all(whole[name] for name in whole)


def test_the_kinds_come_in_their_order() -> None:
    kinds = [kind for kind, _ in groupby(line["kind"] for line in read(everything()))]

    assert kinds == [
        "run",
        "finding",
        "held",
        "change",
        "file",
        "diagnostic",
        "left-to-do",
        "plan",
        "summary",
    ]


def test_the_first_line_says_how_to_read_the_others() -> None:
    first, *_ = read(everything())

    assert list(first)[:4] == ["kind", "version", "awaken", "command"]
    assert (first["version"], first["command"], len(first["roots"])) == (1, "diff", 2)


def test_each_line_is_there_as_soon_as_it_is_known() -> None:
    stream = json_lines(everything(), ROOT)

    assert next(stream).startswith(b'{"kind": "run"')
    assert next(stream).endswith(b"}\n")


def test_a_run_without_findings_still_has_both_ends() -> None:
    assert [line["kind"] for line in read(report())] == ["run", "summary"]
    assert [line["kind"] for line in read(only_diagnostics())] == ["run", "diagnostic", "summary"]


def test_a_line_break_in_a_text_breaks_no_line() -> None:
    found = [line for line in read(everything()) if line["kind"] == "finding"]

    assert any("\n" in line["message"] for line in found)
    assert any(line["path"].endswith("<b>/new\nline.py") for line in found)
