"""The page holds what the JSON document holds, and nothing of a program is markup in it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from awkward import ROOT, everything, only_diagnostics
from html_elements import Page
from msgspec import structs
from report_builders import RULE, change_of, file_change, finding, report, root_report, source

from awaken.contract import ChangeId, Level, SiteId
from awaken.engine.recipe_run import StepRun, combined_report
from awaken.engine.report import FileChange, Report
from awaken.preview.documents.document import document
from awaken.preview.documents.settings_text import settings_text
from awaken.preview.html.report_page import COLOURED_LINES, coloured_markup, page
from awaken.preview.streams.course import Course, StepRow
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import visible
from awaken.settings import Resolved
from awaken.settings.model import RecipeStep
from awaken.verifying.reached_changes import Reach, ReachingTest
from awaken.verifying.sufficient_runs import Sql

ENDLESS = {"br", "meta", "col", "input"}
HOSTILE = (
    "</script><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "{% raw %}",
    '" onmouseover="alert(1)',
    "<!--",
    "]]>",
    "`</code><img src=x onerror=alert(1)>`",
    "\u202eevil",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\x07\x1b[2J",
)


def of(report_: Report, command: str = "check", again: str = "awaken check") -> str:
    return page(report_, Asked(command, ROOT, again=again))


def words(text: str) -> str:
    return " ".join(visible(text).replace("`", "").split())


def in_steps() -> Report:
    """Return what two steps of a recipe find; the second has changes that need more than a site."""
    first = everything()
    file = source("app/a.py", b"s.query(A)\ns.query(B)\n")
    both = ChangeId("both")
    found = (
        finding(file, "s.query(A)", change=both, scope="load", answers=("rules.x.y = true",)),
        finding(file, "s.query(B)", Level.UNSAFE, change=ChangeId("waits")),
    )
    needed = change_of(found[0], "app/a.py", "pyproject.toml")
    sites = (found[0].site, SiteId("elsewhere"))
    needed = structs.replace(needed, id=both, title="both go together", sites=sites)
    waits = change_of(found[1], "app/a.py")
    waits = structs.replace(waits, title="it waits", requires=(both,))
    then = structs.replace(
        root_report(ROOT / "one", findings=found, sources={file.path: file}),
        changes=(needed,),
        pending=(waits,),
    )
    runs = [
        StepRun(number, RecipeStep(rules=(RULE,)), made)
        for number, made in enumerate((first, report(then)), 1)
    ]
    return combined_report(runs)


@pytest.mark.parametrize(
    "make", [everything, only_diagnostics, in_steps, lambda: report(root_report(ROOT))]
)
def test_it_holds_what_json_holds(make) -> None:
    made = make()
    told = json.loads(document(made, ROOT))
    shown = Page(of(made))
    text = " ".join(shown.text.replace("`", "").split())

    expected = [
        (
            visible(one["site"]),
            one["rule"],
            one["level"],
            visible(one["reason"] or ""),
            str(one.get("step", "")),
            visible(one["change"] or ""),
        )
        for one in told["findings"]
    ]
    items = [
        (
            re.sub(r"-\d$", "", one["id"] or ""),
            one["data-rule"],
            one["data-level"],
            one.get("data-reason", ""),
            one.get("data-step", ""),
            one.get("data-change", ""),
        )
        for one in shown.items()
    ]
    assert sorted(items) == sorted(expected)
    assert sorted(one["data-by"] for one in shown.with_class("held")) == sorted(
        one["held_by"] for one in told["held"]
    )
    said = {
        *(one[key] or "" for one in told["findings"] for key in ("message", "cure", "scope")),
        *(place["note"] for one in told["findings"] for place in one["chain"]),
        *(answer for one in told["findings"] for answer in one.get("answers", ())),
        *(one[key] for one in told["held"] for key in ("path", "message", "note")),
        *(one["title"] for one in told["changes"]),
        *(path for one in told["changes"] for path in one["files"]),
        *(one["message"] for one in told["diagnostics"]),
        *(one["path"] for one in told["files"]),
        *(one["title"] for one in told["plans"]),
        *(row["text"] for one in told["plans"] for part in one["parts"] for row in part["rows"]),
        *(one["add"] for one in told["left_to_do"]),
        *(note for one in told["roots"] for note in one["notes"]),
        *(target["origin"] for one in told["roots"] for target in one["targets"]),
        *told["rules"],
    }
    assert [one for one in said - {"<module>"} if words(one) not in text] == []


def test_a_reason_leads_to_its_explanation() -> None:
    made = everything()
    reasons = {one.reason for root in made.roots for one in root.findings if one.reason}
    text = Page(of(made)).text

    assert reasons
    for reason in reasons:
        assert f"awaken explain {visible(reason)}" in text


def test_it_has_the_settings_of_the_run_and_where_they_were_said() -> None:
    settings = Resolved(root=ROOT, unsafe_fixes=True, origins={"unsafe-fixes": "command line"})
    text = Page(of(report(structs.replace(root_report(ROOT), settings=settings)))).text

    assert all(line in text for line in settings_text([settings], ROOT))
    assert "unsafe-fixes = true  # command line" in text


def test_it_says_how_far_each_step_is() -> None:
    rows = (StepRow(1, "2 sites in 1 file", "Write `select()`"), StepRow(2, "nothing to do", "-"))
    asked = Asked("check", ROOT, course=Course(steps=rows))
    text = " ".join(Page(page(in_steps(), asked)).text.split())

    assert "2 sites in 1 file Write select() nothing to do -" in text


def test_the_tests_that_reach_a_change_are_next_to_it() -> None:
    made = in_steps()
    root = made.roots[-1]
    reach = Reach(
        tests=(ReachingTest("t.py::test_<b>", "passed", "failed (ValueError)", Sql.MORE),),
        before=("SELECT 1\n< 2",),
        after=("SELECT 3",),
    )
    course = Course(
        verdict="It held.",
        tests=("before: 1 passed",),
        reaches={
            (2, root.root, ChangeId("both")): reach,
            (2, root.root, ChangeId("waits")): Reach(),
        },
    )
    text = " ".join(Page(page(made, Asked("verify", ROOT, course=course))).text.split())

    assert "It held." in text
    assert "before: 1 passed" in text
    assert "t.py::test_<b>: passed before, failed (ValueError) after; SQL is more" in text
    assert "SQL before:SELECT 1 < 2 SQL after:SELECT 3" in text
    assert text.count("No test reaches it.") == 1


def test_a_long_diff_is_several_tables_with_each_line_once() -> None:
    file = file_change("m.py", None, b"".join(b"x%d = 1\n" % n for n in range(450)))
    shown = Page(of(report(root_report(ROOT, file)), "diff"))

    assert len(shown.with_class("diff")) == len(shown.with_class("block")) == 3
    assert re.findall(r"x\d+ = 1", shown.text) == [f"x{n} = 1" for n in range(450)]


def test_an_address_is_there_once_and_stays() -> None:
    ids = [values["id"] for _, values in Page(of(everything())).elements if "id" in values]

    assert len(ids) == len(set(ids))
    assert ids == [
        values["id"] for _, values in Page(of(everything(), "diff")).elements if "id" in values
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_program_is_markup(text: str) -> None:
    line = f"s.query({text!r})  # {text}\n" if text.isprintable() else f"s.query()  # {text}\n"
    file = source(f"app/{text.replace('/', '_')}.py", line.encode())
    findings = (
        finding(file, "s.query(", Level.MANUAL, message=text, help=text),
        finding(file, "s.query(", Level.UNSAFE, message=text),
    )
    after = file.with_text(file.text.replace(b"query", b"select"))
    changed = root_report(
        ROOT, FileChange(file.path, file, after), findings=findings, sources={file.path: file}
    )
    plain = root_report(ROOT)
    hostile = Page(of(report(changed), again=text))

    assert [tag for tag, _ in hostile.elements].count("script") == 1
    assert not any(name.startswith("on") for _, values in hostile.elements for name in values)
    assert {tag for tag, _ in hostile.elements} <= {
        tag for tag, _ in Page(of(everything())).elements
    } | {tag for tag, _ in Page(of(report(plain))).elements}
    assert not any(ord(char) < 32 and char not in "\n\t" for char in of(report(changed)))


def test_the_policy_allows_its_own_script_and_style_alone() -> None:
    text = of(everything())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)

    for kind in ("script", "style"):
        (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        assert f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}" in policy.replace(
            "&#39;", "'"
        ).replace("&#43;", "+")
    assert "default-src 'none'" in policy


def test_nothing_is_loaded_from_elsewhere() -> None:
    for _, values in Page(of(report(root_report(Path("/"))))).elements:
        assert "src" not in values
        assert (values.get("href") or "#").startswith("#")


def test_every_element_is_closed_or_needs_no_end() -> None:
    text = of(everything())
    for tag in {tag for tag, _ in Page(text).elements} - ENDLESS - {"tr", "td", "th"}:
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag


def test_colours_nest_and_keep_every_character() -> None:
    stretches = [(0, 3, "code.keyword"), (2, 6, "word"), (4, 5, "code.string")]

    assert (
        coloured_markup("a<b>cd", stretches)
        == "<i class=k>a&lt;</i><b><i class=k>b</i></b><b>&gt;</b><b><i class=s>c</i></b><b>d</b>"
    )


def test_a_large_page_has_no_colours() -> None:
    def of_lines(count: int) -> str:
        old = source("a.py", b"def f():\n" * count)
        new = old.with_text(b"def g():\n" * count)
        return of(report(root_report(ROOT, FileChange("a.py", old, new))))

    assert "<i class=k>" in of_lines(10)
    assert "<i class=k>" not in of_lines(COLOURED_LINES + 1)
