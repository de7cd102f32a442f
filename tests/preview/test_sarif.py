from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from awkward import ROOT, everything, only_diagnostics
from report_builders import RULE, file_change, finding, report, root_report, source

from awaken.contract import ChangeId, Finding, Level, Phase, Place, Reason, Span
from awaken.engine.report import Diagnostic, FileChange, Report, SuppressedBy, SuppressedSite
from awaken.kit.rule import Rule
from awaken.preview.documents.homepage import homepage
from awaken.preview.documents.sarif import sarif
from awaken.preview.streams.output import Asked, FilesOf, Staged
from awaken.workspace.sources import SourceFile

TEXT = "é😀 = s.query(A)\r\nb = (s.query(B)\r\n  .all())\r\ns.query(C)".encode()


class OneRule(Rule):
    """Rewrites one thing. It has a page."""

    name = RULE
    family = "sqlalchemy"
    phase = Phase.QUERIES
    reasons = (Reason("unknown-entity", "it is unknown", "name it"),)


class Advisor(OneRule):
    """Advises."""

    name = "advisor"
    kind = "advice"


def run(
    of: Report,
    current: Path = ROOT,
    command: str = "check",
    files_of: FilesOf | None = None,
    rules: tuple[Rule, ...] = (),
) -> dict[str, Any]:
    log = json.loads(
        sarif(of, Asked(command, current, staged=files_of and Staged(files_of, None)), rules)
    )
    assert (log["version"], log["$schema"]) == (
        "2.1.0",
        "https://json.schemastore.org/sarif-2.1.0.json",
    )
    (one,) = log["runs"]
    assert isinstance(one, dict)
    return one


def holding(*findings: Finding, name: str = "app/a.py", **values: object) -> Report:
    file = source(name, TEXT)
    return report(root_report(ROOT, findings=findings, sources={name: file}, **values))


def physical(result: dict[str, Any]) -> Any:
    return result["locations"][0]["physicalLocation"]


FILE = source("app/a.py", TEXT)


def test_a_result_says_what_and_where_in_characters() -> None:
    manual = finding(FILE, "s.query(B)\r\n  .all()", Level.MANUAL, scope="find")
    (result,) = run(holding(manual))["results"]

    assert result["message"] == {
        "text": "write this query as select(). name the class in the call."
    }
    assert physical(result) == {
        "artifactLocation": {"uri": "app/a.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 6, "endLine": 3, "endColumn": 9},
    }
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == (RULE, 0, "warning")
    assert result["properties"] == {
        "applicability": "manual",
        "site": manual.site,
        "scope": "find",
        "reason": f"{RULE}/unknown-entity",
    }
    assert "suppressions" not in result


def test_columns_count_code_points_and_lines_end_as_in_python() -> None:
    one = run(holding(finding(FILE, "s.query(A)")))

    assert one["columnKind"] == "unicodeCodePoints"
    assert one["newlineSequences"] == ["\r\n", "\n", "\r"]
    assert physical(one["results"][0])["region"]["startColumn"] == 6


def test_what_needs_a_decision_is_a_warning() -> None:
    results = run(holding(*(finding(FILE, "s", level) for level in Level)))["results"]

    assert {result["properties"]["applicability"]: result["level"] for result in results} == {
        "safe": "note",
        "unsafe": "warning",
        "manual": "warning",
        "advice": "note",
    }


def test_paths_are_relative_to_the_top_of_the_repository(tmp_path: Path) -> None:
    top = tmp_path / "a b"
    (top / ".git").mkdir(parents=True)
    root = root_report(top / "one", findings=(finding(FILE, "s"),), sources={FILE.path: FILE})
    one = run(report(root), top / "one" / "app")

    assert physical(one["results"][0])["artifactLocation"]["uri"] == "one/app/a.py"
    assert one["originalUriBaseIds"] == {"%SRCROOT%": {"uri": f"{top.as_uri()}/"}}
    assert top.as_uri().endswith("/a%20b")


def test_a_path_is_percent_encoded_as_the_bytes_that_it_is() -> None:
    uris = {
        "with blank/a b.py": "with%20blank/a%20b.py",
        "ünï/日😀.py": "%C3%BCn%C3%AF/%E6%97%A5%F0%9F%98%80.py",
        "has#hash/100%.py": "has%23hash/100%25.py",
        "a:b/c,d.py": "a%3Ab/c%2Cd.py",
        "<b>/new\nline?.py": "%3Cb%3E/new%0Aline%3F.py",
        os.fsdecode(b"caf\xe9.py"): "caf%E9.py",
    }
    for name, uri in uris.items():
        found = finding(source(name, TEXT), "s")
        (result,) = run(holding(found, name=name))["results"]

        assert physical(result)["artifactLocation"] == {"uri": uri, "uriBaseId": "%SRCROOT%"}


def test_what_lies_outside_of_the_base_has_its_whole_address() -> None:
    (result,) = run(holding(finding(FILE, "s")), ROOT / "else")["results"]

    where = physical(result)["artifactLocation"]
    assert where == {"uri": "file:///home/me/my%20project/app/a.py"}


def test_fingerprints_differ_between_sites_and_roots_but_not_between_runs() -> None:
    def prints(of: Report) -> list[str]:
        return [result["partialFingerprints"]["awaken/v1"] for result in run(of)["results"]]

    once = prints(everything())

    assert once == prints(everything())
    assert len(once) == len(set(once)) == 32 + 8 * 3  # the roots share a path, and so site ids
    assert all(len(one) == 32 for one in once)


def test_a_chain_is_related_places() -> None:
    chain = (Place("app/a.py", Span(0, 2), "assigned here"), Place("gone.py", Span(3, 4)))
    (result,) = run(holding(finding(FILE, "s", related=chain)))["results"]

    known, unknown = result["relatedLocations"]
    assert (known["id"], known["message"]) == (1, {"text": "assigned here."})
    assert known["physicalLocation"]["region"]["endColumn"] == 2
    assert unknown["physicalLocation"] == {
        "artifactLocation": {"uri": "gone.py", "uriBaseId": "%SRCROOT%"}
    }


def test_held_sites_are_suppressed_but_not_those_that_nobody_decided_about() -> None:
    place = Place("app/a.py", Span(0, 2))
    suppressed = tuple(
        SuppressedSite(
            finding(FILE, "s", site=by.value), by, f"by {by}", place if by == "comment" else None
        )
        for by in SuppressedBy
    )
    shown, *suppressed = run(holding(finding(FILE, "s"), suppressed=suppressed))["results"]

    assert shown["suppressions"] == []
    (comment,), *others = (result["suppressions"] for result in suppressed)
    region = comment.pop("location")["physicalLocation"]["region"]
    assert region["startLine"] == 1
    assert comment == {"kind": "inSource", "status": "accepted", "justification": "by comment"}
    assert others == [
        [{"kind": "external", "status": "accepted", "justification": f"by {by}"}]
        for by in ("settings", "baseline")
    ]


def test_a_diagnostic_makes_the_run_unsuccessful() -> None:
    (trouble,) = run(only_diagnostics())["invocations"]
    (fine,) = run(report())["invocations"]

    assert fine == {"executionSuccessful": True, "toolExecutionNotifications": []}
    assert trouble["executionSuccessful"] is False
    assert trouble["toolExecutionNotifications"] == [
        {
            "level": "error",
            "message": {"text": "does not parse."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "bad.py", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 3},
                    }
                }
            ],
        }
    ]


def test_a_note_and_a_diagnostic_without_a_place() -> None:
    whole = report(
        root_report(ROOT, findings=(), notes=("other did not run",)),
        diagnostics=(Diagnostic("", 0, "no path"), Diagnostic("gone", 0, "does not exist")),
    )
    (invocation,) = run(whole)["invocations"]

    bare, gone, note = invocation["toolExecutionNotifications"]
    assert bare == {"level": "error", "message": {"text": "no path."}}
    assert "region" not in gone["locations"][0]["physicalLocation"]
    assert note == {"level": "note", "message": {"text": "other did not run."}}


def test_a_rule_with_a_page_is_described_once() -> None:
    other = finding(FILE, "s", rule="unknown-rule")
    one = run(holding(finding(FILE, "s"), other, other), rules=(OneRule(), Advisor()))

    described, unknown = one["tool"]["driver"]["rules"]
    assert (described["id"], described["name"]) == (RULE, "QueryToSelect")
    assert described["shortDescription"]["text"]
    assert f"# {RULE}" in described["help"]["markdown"]
    assert described["defaultConfiguration"] == {"level": "warning"}
    assert "helpUri" not in described
    assert unknown == {"id": "unknown-rule", "name": "UnknownRule"}
    assert [result["ruleIndex"] for result in one["results"]] == [0, 1, 1]


def test_a_message_is_no_link_and_has_no_arguments() -> None:
    found = finding(FILE, "s", message="see [x](1) and list[int] of {0} {name}!")
    (result,) = run(holding(found))["results"]

    assert result["message"]["text"] == r"see \[x\](1) and list[int] of {{0}} {name}!"


def fixes(of: Report, change: tuple[FileChange, ...]) -> Any:
    asked: list[tuple[Path, ChangeId]] = []

    def files_of(root: Path, which: ChangeId) -> tuple[FileChange, ...]:
        asked.append((root, which))
        return change

    (result,) = run(of, files_of=files_of)["results"]
    assert asked == [(ROOT, result["properties"]["site"].join(["change of ", ""]))]
    return result.get("fixes")


def made(before: bytes, after: bytes) -> Any:
    file = SourceFile("app/a.py", before)
    found = finding(file, before[:1].decode())
    whole = report(root_report(ROOT, findings=(found,), sources={file.path: file}))
    ((fix,),) = [fixes(whole, (FileChange(file.path, file, file.with_text(after)),))]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "app/a.py", "uriBaseId": "%SRCROOT%"}
    assert fix["description"] == {"text": "write this query as select()."}
    return change["replacements"]


def region(*numbers: int) -> dict[str, int]:
    return dict(zip(("startLine", "startColumn", "endLine", "endColumn"), numbers, strict=True))


def test_a_fix_replaces_whole_lines_with_their_own_ends() -> None:
    assert made(b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n") == [
        {"deletedRegion": region(2, 1, 3, 1), "insertedContent": {"text": "B\r\n"}}
    ]


def test_an_insertion_deletes_nothing_and_a_deletion_inserts_nothing() -> None:
    assert made(b"a\nb\n", b"x\na\nb\n") == [
        {"deletedRegion": region(1, 1, 1, 1), "insertedContent": {"text": "x\n"}}
    ]
    assert made(b"a\nb\nc\n", b"a\nc\n") == [{"deletedRegion": region(2, 1, 3, 1)}]


def test_the_last_line_may_have_no_end() -> None:
    assert made("a\né😀".encode(), b"a\nB") == [
        {"deletedRegion": region(2, 1, 2, 3), "insertedContent": {"text": "B"}}
    ]


def test_there_is_no_fix_for_what_it_could_not_describe() -> None:
    whole = holding(finding(FILE, "s"))
    after = FILE.with_text(b"x")
    moved = FileChange(FILE.path, SourceFile(FILE.path, b"another phase"), after)

    assert fixes(whole, (FileChange(FILE.path, FILE, after),)) is not None
    assert fixes(whole, (moved,)) is None
    assert (
        fixes(whole, (file_change("new.py", None, b""), FileChange(FILE.path, FILE, after))) is None
    )
    assert fixes(whole, ()) is None


def test_a_change_with_several_sites_is_one_fix() -> None:
    one, other = finding(FILE, "s.query(A)"), finding(FILE, "s.query(C)")
    same = finding(FILE, "s.query(B)", change=one.change)
    change = FileChange(FILE.path, FILE, FILE.with_text(b"x"))

    results = run(holding(one, same, other), files_of=lambda *_: (change,))["results"]

    assert ["fixes" in result for result in results] == [True, False, True]


def test_manual_sites_have_no_fix() -> None:
    def never(root: Path, change: ChangeId) -> tuple[FileChange, ...]:
        raise AssertionError(root, change)

    (result,) = run(holding(finding(FILE, "s", Level.MANUAL)), files_of=never)["results"]

    assert "fixes" not in result


def test_after_apply_a_place_in_a_rewritten_line_is_that_line() -> None:
    safe, left = finding(FILE, "s.query(A)"), finding(FILE, "s", Level.MANUAL)
    change = FileChange(FILE.path, FILE, FILE.with_text(b"x" + TEXT), (safe,))
    whole = report(root_report(ROOT, change, findings=(safe, left)))

    (result,) = run(whole, command="apply")["results"]

    assert physical(result)["region"] == {"startLine": 1}


def test_after_apply_what_it_left_where_it_now_stands() -> None:
    safe, left = finding(FILE, "s.query(A)"), finding(FILE, "s.query(C)", Level.MANUAL)
    change = FileChange(FILE.path, FILE, FILE.with_text(b"import x\r\n" + TEXT), (safe,))
    whole = report(root_report(ROOT, change, findings=(safe, left)))

    (result,) = run(whole, command="apply")["results"]

    assert physical(result)["region"] == region(5, 1, 5, 11)
    assert len(run(whole, command="diff")["results"]) == 2


def test_the_driver_names_the_homepage_of_the_distribution() -> None:
    driver = run(holding(finding(FILE, "s")))["tool"]["driver"]
    assert driver["informationUri"] == homepage()
    assert homepage().startswith("https://")
