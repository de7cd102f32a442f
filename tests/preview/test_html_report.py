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
from report_builders import finding, report, root_report, source

from awaken.contract import Level
from awaken.engine.report import FileChange, Report
from awaken.preview.documents.document import document
from awaken.preview.html.markup import COLOURED_LINES, coloured
from awaken.preview.html.report_page import page
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import visible

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


@pytest.mark.parametrize("make", [everything, only_diagnostics, lambda: report(root_report(ROOT))])
def test_it_holds_what_json_holds(make) -> None:
    made = make()
    told = json.loads(document(made, ROOT))
    shown = Page(of(made))
    text = " ".join(shown.text.replace("`", "").split())

    expected = [
        (visible(one["site"]), one["rule"], one["level"], visible(one["reason"] or ""))
        for one in told["findings"]
    ]
    items = [
        (
            (one["id"] or "").removesuffix("-1"),
            one["data-rule"],
            one["data-level"],
            one.get("data-reason", ""),
        )
        for one in shown.items()
    ]
    assert sorted(items) == sorted(expected)
    for one in told["findings"]:
        assert words(one["message"]) in text
        assert words(one["cure"] or "") in text
    for one in told["diagnostics"]:
        assert words(one["message"]) in text
    for one in told["files"]:
        assert words(one["path"]) in text
    for one in told["plans"]:
        assert words(one["title"]) in text
    for one in told["left_to_do"]:
        assert words(one["add"]) in text


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
        coloured("a<b>cd", stretches)
        == "<i class=k>a&lt;</i><b><i class=k>b</i></b><b>&gt;</b><b><i class=s>c</i></b><b>d</b>"
    )


def test_a_large_page_has_no_colours() -> None:
    def of_lines(count: int) -> str:
        old = source("a.py", b"def f():\n" * count)
        new = old.with_text(b"def g():\n" * count)
        return of(report(root_report(ROOT, FileChange("a.py", old, new))))

    assert "<i class=k>" in of_lines(10)
    assert "<i class=k>" not in of_lines(COLOURED_LINES + 1)
