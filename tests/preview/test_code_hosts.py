"""The forms of GitLab, reviewdog and CI servers: what they need, of every report."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from awkward import ROOT, everything, only_diagnostics
from report_builders import file_change, finding, report, root_report, source

from awaken.contract import Level
from awaken.engine.report import Diagnostic
from awaken.preview.hosts import gitlab, junit, rdjson
from awaken.preview.streams.output import Asked, Staged

TEXT = "é😀 = s.query(A)\nb = (s.query(B)\n  .all())\ns.query(C)\n"


def text_of(form, of, command="check", staged=None, current=ROOT):
    return b"".join(form.write(of, Asked(command, current, staged=staged))).decode()


def holding(*findings, **values):
    file = source("app/a.py", TEXT.encode())
    return report(root_report(ROOT, findings=findings, sources={"app/a.py": file}, **values))


FILE = source("app/a.py", TEXT.encode())
SAFE = finding(FILE, "s.query(A)")
MANUAL = finding(FILE, "s.query(B)\n  .all()", Level.MANUAL)


@pytest.mark.parametrize("of", [everything, only_diagnostics], ids=["everything", "diagnostics"])
def test_gitlab_gets_a_path_a_line_and_a_fingerprint_of_its_own_for_each(of):
    issues = json.loads(text_of(gitlab, of()))

    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints) > 0
    assert {issue["severity"] for issue in issues} <= {"info", "minor", "major"}
    for issue in issues:
        where = issue["location"]
        line = where.get("lines", where.get("positions", {}).get("begin"))
        assert (line.get("line") or line.get("begin")) >= 1
        assert not where["path"].startswith("./")


def test_a_fingerprint_survives_lines_above_its_site():
    moved = source("app/a.py", b"import os\n" + TEXT.encode())
    later = finding(moved, "s.query(A)", site=SAFE.site)
    after = report(root_report(ROOT, findings=(later,), sources={"app/a.py": moved}))

    (before,), (now,) = (json.loads(text_of(gitlab, one)) for one in (holding(SAFE), after))
    assert before["fingerprint"] == now["fingerprint"]
    assert before["location"] != now["location"]


def test_reviewdog_gets_columns_in_bytes_and_the_reason_as_code():
    first, second = json.loads(text_of(rdjson, holding(SAFE, MANUAL)))["diagnostics"]

    start = len("é😀 = ".encode()) + 1
    assert first["location"]["range"] == {
        "start": {"line": 1, "column": start},
        "end": {"line": 1, "column": start + len("s.query(A)")},
    }
    assert (first["severity"], first["code"]) == ("INFO", {"value": "query-to-select"})
    assert second["code"] == {"value": "query-to-select/unknown-entity"}
    assert second["location"]["range"]["end"] == {"line": 3, "column": 9}
    assert "name the class in the call" in second["message"]


def changed(*pairs):
    after = TEXT
    for old, new in pairs:
        after = after.replace(old, new)
    return file_change("app/a.py", TEXT.encode(), after.encode(), (SAFE,))


def suggestions_for(*files):
    of = report(root_report(ROOT, files[0], sources={"app/a.py": FILE}, findings=(SAFE,)))
    staged = Staged(lambda _root, _change: files, None)
    (shown,) = json.loads(text_of(rdjson, of, staged=staged))["diagnostics"]
    return shown.get("suggestions")


def test_a_change_of_one_stretch_is_a_suggestion_over_whole_lines():
    lines = {"start": {"line": 1}, "end": {"line": 2}}
    assert suggestions_for(changed(("s.query(A)", "s.all(A)"), ("b = (", "b = (  #"))) == [
        {"range": lines, "text": "é😀 = s.all(A)\nb = (  #s.query(B)"}
    ]


def test_an_inserted_line_comes_with_the_line_next_to_it():
    assert suggestions_for(changed(("é😀", "import os\né😀"))) == [
        {"range": {"start": {"line": 1}, "end": {"line": 1}}, "text": "import os\né😀 = s.query(A)"}
    ]


def test_a_change_of_several_files_is_no_suggestion():
    other = file_change("app/b.py", b"a\n", b"b\n")
    assert suggestions_for(changed(("A", "X")), other) is None


def test_a_change_whose_text_is_not_the_one_on_disk_is_no_suggestion():
    later = file_change("app/a.py", b"other\n" + TEXT.encode(), TEXT.encode(), (SAFE,))
    assert suggestions_for(later) is None


@pytest.mark.parametrize("of", [everything, only_diagnostics], ids=["everything", "diagnostics"])
def test_junit_is_xml_whose_counts_are_those_of_its_cases(of):
    suites = ET.fromstring(text_of(junit, of()).encode())

    for suite in (suites, *suites):
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(suite.get(key)) == len(list(suite.iter(tag)))
    assert int(suites.get("tests")) > 0


def test_a_run_without_sites_is_a_test_that_passed():
    suites = ET.fromstring(text_of(junit, holding()).encode())
    assert [dict(case.attrib)["name"] for case in suites.iter("testcase")] == ["no site found"]
    assert (suites.get("failures"), suites.get("errors")) == ("0", "0")


def test_a_diagnostic_is_an_error_at_its_line():
    of = holding(diagnostics=(Diagnostic("bad.py", 3, "does not parse"),))
    (case,) = ET.fromstring(text_of(junit, of).encode()).iter("testcase")
    assert (case.get("file"), case.get("line")) == ("bad.py", "3")
    assert case.find("error").get("message") == "does not parse"


@pytest.mark.parametrize("form", [gitlab, rdjson, junit], ids=["gitlab", "rdjson", "junit"])
def test_after_apply_only_what_it_left_is_there(form):
    of = report(root_report(ROOT, changed(("A", "X")), findings=(SAFE, MANUAL)))
    assert "app/a.py" in text_of(form, of)
    left = text_of(form, of, "apply")
    assert MANUAL.message in left
    assert left.count("unknown-entity") >= 1
    assert "info" not in left.lower().replace("informationuri", "")


def test_paths_are_from_the_top_of_the_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    below = tmp_path / "backend"
    of = report(root_report(below, findings=(SAFE,), sources={"app/a.py": FILE}))
    (issue,) = json.loads(text_of(gitlab, of, current=Path(below)))
    assert issue["location"]["path"] == "backend/app/a.py"
