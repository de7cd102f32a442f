"""Explanations as they are printed, from data made by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from report_builders import change_of, file_change, finding, root_report, source
from rich.console import Console

from awaken.contract import Level, Place, Reason, Span
from awaken.engine.explaining.explanation import AskedPlace, Explanation, Site, Why
from awaken.engine.report import SuppressedBy, SuppressedSite, TargetVersion
from awaken.preview.choices import Color
from awaken.preview.console.console import make_console
from awaken.preview.documents.explanation_document import explanation_document
from awaken.preview.terminal.explained_place import print_explanation

ROOT = Path("/program")
BEFORE = b"class A:\n    def f(self):\n        return query(1)\n\nx = 1\n"
AFTER = BEFORE.replace(b"query(1)", b"select(1)")
FILE = source("app.py", BEFORE)
OTHER = source("other.py", b"query(2)\n")


def printed(explanation: Explanation, width: int | None = None) -> str:
    stream = io.StringIO()
    console = make_console(stream, Color.NEVER)
    if width is not None:
        console = Console(
            file=stream, width=width, force_terminal=True, color_system=None, markup=False
        )
    print_explanation(explanation, console, ROOT)
    return stream.getvalue()


def explained(level: Level = Level.SAFE, site=None, **values) -> Explanation:
    found = finding(FILE, "query(1)", level, scope="A.f", **values)
    change = None if found.change is None else change_of(found, "app.py")
    made = file_change("app.py", BEFORE, AFTER, (found,))
    report = root_report(
        ROOT,
        findings=(found,),
        sources={"app.py": FILE, "other.py": OTHER},
        changes=(*((change,) if change else ()), change_of(finding(OTHER, "query"), "other.py")),
        pending=(change_of(finding(OTHER, "query(2)"), "other.py"),),
    )
    more = {"status": "rewritten" if change else "left", "change": change}
    more |= {"files": (made,) if change else (), **(site or {})}
    return Explanation(
        asked=AskedPlace("app.py", 3, None, "app.py"),
        root=ROOT,
        source=FILE,
        sites=(Site(finding=found, **more),),
        report=report,
    )


def unexplained(*whys: Why, line: int = 5, **values) -> Explanation:
    given = {"root": ROOT, "source": FILE, "report": root_report(ROOT), **values}
    return Explanation(asked=AskedPlace("app.py", line, None, "app.py"), whys=whys, **given)


# -------------------------------------------------------------------------------------- sites
def test_a_safe_site_is_shown_with_its_rewrite():
    assert printed(explained()) == (
        "query-to-select safe: write this query as select()\n"
        " --> app.py:3:16 in A.f\n"
        "2 │     def f(self):\n"
        "3 │         return query(1)\n"
        "  │                ^^^^^^^^\n"
        "  = what happens: `awaken apply` rewrites it\n"
        "  = to leave it out: write `# awaken: ignore[query-to-select]` at the end of its line, "
        "or on a separate line above\n"
        "\n"
        "The rewrite of this site, in app.py\n"
        " 1  1 │  class A:\n"
        " 2  2 │      def f(self):\n"
        " 3    │-         return query(1)\n"
        "    3 │+         return select(1)\n"
        " 4  4 │  \n"
        " 5  5 │  x = 1\n"
    )


def test_a_site_that_waits_names_the_option():
    shown = printed(explained(Level.UNSAFE, site={"status": "waiting"}))
    assert "= what happens: `awaken apply --unsafe-fixes` rewrites it; without that " in shown
    assert "query-to-select unsafe: " in shown


def test_a_manual_site_has_reason_chain_and_cure_in_this_order():
    place = Place("other.py", Span(0, 8), "asked for here")
    rows = printed(explained(Level.MANUAL, related=(place,))).splitlines()[5:]
    assert rows[:-1] == [
        "  = what happens: it stays unchanged until somebody changes it by hand",
        "  = reason: query-to-select/unknown-entity, see `awaken rules query-to-select`",
        "  = because: other.py:1:1 asked for here: `query(2)`",
        "  = what to do: name the class in the call",
    ]
    assert rows[-1].startswith("  = to hide it: write `# awaken: ignore[query-to-select]` at the")


def test_what_the_rule_says_in_general_is_shown_where_the_site_says_something_else():
    reason = Reason("unknown-entity", "nobody knows what `{}` is", "Name it.")
    said = explained(Level.MANUAL, site={"reason": reason}, message="nobody knows what `x` is")
    assert "in general" not in printed(said)
    said = explained(Level.MANUAL, site={"reason": reason}, message="it is odd", help="")
    assert "= in general: nobody knows what `{}` is\n" in printed(said)
    assert "= what to do: Name it.\n" in printed(said)


def test_a_reason_of_the_engine_has_no_page_and_versions_say_where_they_were_read():
    said = explained(Level.MANUAL, reason="engine/needs-other-versions")
    target = TargetVersion("sqlalchemy", ">=1.3", "setup.cfg:4")
    report = root_report(ROOT, findings=(), sources={}, targets=(target,))
    said = Explanation(asked=said.asked, root=ROOT, source=FILE, sites=said.sites, report=report)
    shown = printed(said)
    assert "= reason: engine/needs-other-versions\n" in shown
    assert "= declared: sqlalchemy >=1.3 (setup.cfg:4)\n" in shown


def test_advice_rewrites_nothing():
    shown = printed(explained(Level.ADVICE))
    assert "= what happens: this is advice, without a rewrite\n" in shown
    assert "to leave it out" not in shown


@pytest.mark.parametrize(
    ("by", "place", "words"),
    [
        (
            SuppressedBy.COMMENT,
            Place("app.py", Span(0, 5)),
            "nothing, because a comment suppresses it (app.py:1:1): `because`",
        ),
        (
            SuppressedBy.SETTINGS,
            None,
            "nothing, because a setting for this path suppresses it: `because`",
        ),
        (SuppressedBy.BASELINE, None, "nothing, because the baseline suppresses it, because it"),
        (
            SuppressedBy.SINCE,
            None,
            "nothing, because its lines have not changed since the commit of --since",
        ),
    ],
)
def test_what_holds_a_site_is_said(by, place, words):
    said = explained()
    (site,) = said.sites
    suppressed = SuppressedSite(site.finding, by, "because", place)
    shown = printed(explained(site={"status": "held", "suppressed": suppressed, "files": ()}))
    assert f"= what happens: {words}" in shown
    assert "to leave it out" not in shown


def test_other_files_and_required_changes_are_named():
    said = explained()
    (site,) = said.sites
    required = change_of(finding(OTHER, "query(2)"), "other.py")
    change = change_of(site.finding, "app.py", "other.py")
    files = (*site.files, file_change("new.py", None, b"x = 1\n"))
    shown = printed(explained(site={"change": change, "requires": (required,), "files": files}))
    assert "= also edits: other.py\n" in shown
    assert "= requires: write this query as select() (other.py)\n" in shown
    assert "The rewrite of this site, in (new file) new.py\n" in shown


def test_another_line_of_the_statement_is_said_to_be_that():
    shown = printed(explained(site={"matched": "statement"}))
    assert "= note: line 3 is part of the statement that holds this site\n" in shown


def test_a_note_stands_above_all_sites_once():
    said = explained()
    both = Explanation(
        asked=said.asked,
        root=ROOT,
        source=FILE,
        sites=said.sites * 2,
        report=said.report,
        note="column 2 is not inside a site",
    )
    shown = printed(both)
    assert shown.startswith("column 2 is not inside a site\nquery-to-select safe")
    assert shown.count("column 2") == 1
    assert shown.count("query-to-select safe") == 2


def test_long_rows_fold_on_a_terminal_and_nowhere_else():
    narrow = printed(explained(), width=60)
    assert max(map(len, narrow.splitlines())) <= 60
    assert max(map(len, printed(explained()).splitlines())) > 60


# ------------------------------------------------------------------------------------ no site
def test_a_place_without_a_site_is_shown_with_the_reason_and_the_nearest_sites():
    why = Why(code="odd", message="the rule looked away", help="Look again.")
    assert printed(unexplained(why, nearest=(3, 40))) == (
        "app.py:5: nothing is rewritten here.\n"
        "5 │ x = 1\n"
        "  │ ^^^^^\n"
        "  = why: the rule looked away\n"
        "  = what to do: Look again.\n"
        "  = nearest: the nearest sites are at lines 3 and 40\n"
    )


def test_one_nearest_site():
    assert "nearest: the nearest site is at line 3\n" in printed(unexplained(nearest=(3,)))
    assert "nearest" not in printed(unexplained())


def test_what_is_underlined_begins_with_the_code():
    assert "2 │     def f(self):\n  │     ^^^^^^^^^^^^\n" in printed(unexplained(line=2))


def test_a_blank_line_is_shown():
    assert "4 │ \n  │ ^\n" in printed(unexplained(line=4))


def test_a_column_is_underlined_alone():
    said = Explanation(asked=AskedPlace("app.py", 5, 3, "app.py"), root=ROOT, source=FILE)
    assert "app.py:5:3: nothing is rewritten here.\n" in printed(said)
    assert "5 │ x = 1\n  │   ^\n" in printed(said)


def test_a_file_that_was_not_read_has_no_code_and_its_name_as_it_was_given():
    why = Why(code="not-python", message="a stub has no code")
    said = unexplained(why, root=None, source=None, report=None)
    assert printed(said) == "app.py:5: nothing is rewritten here.\n  = why: a stub has no code\n"


def test_nothing_of_a_file_can_act_on_the_terminal():
    odd = source("app.py", b"x = '\x1b[31m'\n")
    why = Why(code="odd", message="about \x1b[2J")
    shown = printed(unexplained(why, line=1, source=odd))
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown


# --------------------------------------------------------------------------------------- json
def test_the_document_of_a_site():
    document = json.loads(explanation_document(explained(), ROOT))
    assert document["command"] == "explain"
    assert document["place"] == {"path": "app.py", "line": 3, "column": None}
    assert document["why_no_site"] == []
    (site,) = document["sites"]
    assert site["status"] == "rewritten"
    assert site["matched"] == "span"
    assert (site["line"], site["column"], site["end_column"]) == (3, 16, 24)
    assert site["held_by"] is None
    assert site["documented"] is None
    assert site["change"]["files"] == ["app.py"]
    assert site["change"]["admitted"] is True
    assert site["requires"] == []
    assert "-        return query(1)\n+        return select(1)\n" in site["patch"]


def test_the_document_of_a_held_site_and_of_a_manual_one():
    (site,) = explained().sites
    suppressed = SuppressedSite(site.finding, SuppressedBy.BASELINE, "base.json")
    document = json.loads(
        explanation_document(
            explained(site={"status": "held", "suppressed": suppressed, "files": ()}), ROOT
        )
    )
    (shown,) = document["sites"]
    assert (shown["held_by"], shown["note"], shown["held_at"]) == ("baseline", "base.json", None)
    assert shown["patch"] == ""
    reason = Reason("unknown-entity", "nobody knows `{}`", "Name it.")
    manual = explained(Level.MANUAL, site={"reason": reason})
    (shown,) = json.loads(explanation_document(manual, ROOT))["sites"]
    assert shown["change"] is None
    assert shown["documented"] == {
        "code": "unknown-entity",
        "message": "nobody knows `{}`",
        "cure": "Name it.",
        "mended_by": "",
        "asks_nothing": False,
    }
    assert shown["plan"] is None


def test_the_document_of_a_place_without_a_site():
    why = Why(code="odd", message="it is odd", rule="query-to-select")
    document = json.loads(explanation_document(unexplained(why, nearest=(3,)), ROOT.parent))
    assert document["place"]["path"] == "program/app.py"
    assert document["root"] == "program"
    assert document["nearest"] == [3]
    assert document["why_no_site"] == [
        {"code": "odd", "message": "it is odd", "rule": "query-to-select", "cure": ""}
    ]


def test_a_document_without_a_project_names_the_path_as_it_was_given():
    document = json.loads(explanation_document(unexplained(root=None), ROOT))
    assert document["root"] is None
    assert document["place"]["path"] == "app.py"
