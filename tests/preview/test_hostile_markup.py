"""200 hostile strings, in every form that a browser or a code host draws: none is markup."""

from __future__ import annotations

import json
from functools import cache
from xml.etree import ElementTree as ET

import pytest
from hostile_report import TOP, hostile_report
from html_elements import Page
from markdown_it import MarkdownIt
from report_builders import finding, report, root_report, source

from awaken.engine.report import FileChange, Report
from awaken.engine.suppressing.changed_lines import ChangedLines, Hunk
from awaken.preview.hosts import github_review, gitlab, junit, rdjson
from awaken.preview.html import report_page
from awaken.preview.markdown import comment
from awaken.preview.markdown.remaining_work import LIMIT
from awaken.preview.streams.output import Asked, Staged
from awaken.preview.streams.visible import printable

SEEDS = (
    "</script>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# note #}",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<base href=//example.invalid>",
    "<!--",
    "--> <b>",
    "]]>",
    "<![CDATA[<b>]]>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e 'x'>]>&e;",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "````",
    "```suggestion",
    "~~~~~\n</details>",
    "`</code><img src=x onerror=alert(1)>`",
    "</details></details><details open>",
    "![x](http://example.invalid/x)",
    "[x](javascript:alert(1))",
    "<http://example.invalid>",
    "| a | b |\n|---|---|",
    "\n# heading\n\n---\n\n> quote",
    "\r\nSet-Cookie: x",
    "\u202eevil",
    "\u2066x\u2069",
    "\u200b\ufeff",
    "\x00",
    "\x1b[2J\x07",
    "\x9b31m\x85\u2028",
    "\udc9b\udcff",
    "\ufffe\uffff",
    "a" * 10_000,
    "<" * 10_000,
    "`" * 10_000,
)
FRAMES = ("{0}", "a{0}b", "\n{0}\n", "'{0}' \"{0}\"", "\\{0}{0}")
STRINGS = tuple(frame.format(seed) for seed in SEEDS for frame in FRAMES)
PLAIN = "plain"
ASKED = Asked("diff", TOP, again="awaken diff")
DRAWN = {
    *("h2", "h3", "p", "strong", "code", "pre", "ul", "li", "br"),
    *("details", "summary"),
}
"""The elements of awaken's own Markdown."""


@cache
def written(form, text: str) -> str:
    """Return the form as a program reads it; what is not UTF-8 fails here.

    The directory has a plain name: forms ask the disk about it, which has none of 10,000 signs.
    """
    return b"".join(form.write(hostile_report(text, TOP / "one"), ASKED)).decode("utf-8")


def tags(page: Page) -> list[str]:
    return [tag for tag, _ in page.elements]


def assert_only_our_markdown(text: str) -> None:
    drawn = Page(MarkdownIt("commonmark").enable("table").render(text))
    assert set(tags(drawn)) <= DRAWN, set(tags(drawn)) - DRAWN
    assert not any(values.keys() - {"class"} for _, values in drawn.elements), drawn.elements


def test_there_are_two_hundred() -> None:
    assert len(STRINGS) == len(set(STRINGS)) == 200


@pytest.mark.parametrize("text", STRINGS, ids=range(200))
@pytest.mark.sampled(20)
def test_no_string_is_markup(text: str) -> None:
    shown, plain = Page(written(report_page, text)), Page(written(report_page, PLAIN))
    assert tags(shown).count("script") == 1
    assert set(tags(shown)) <= set(tags(plain)) | {"i", "b", "code"}
    for _, values in shown.elements:
        assert not any(name.startswith("on") for name in values)
        assert "src" not in values
        assert (values.get("href") or "#").startswith("#")
    assert len(shown.items()) == len(plain.items())

    said = written(comment, text)
    assert said.startswith(f"{comment.MARK}\n")
    assert len(said.encode()) <= LIMIT
    assert_only_our_markdown(said)
    assert said.count("<details>") == said.count("</details>\n\n") or "~~~" in text

    review = json.loads(written(github_review, text))
    assert_only_our_markdown(review["body"])

    ours, theirs = (ET.fromstring(written(junit, one)) for one in (PLAIN, text))
    assert [one.tag for one in ours.iter()] == [one.tag for one in theirs.iter()]

    for form in (rdjson, gitlab):
        ours, theirs = json.loads(written(form, PLAIN)), json.loads(written(form, text))
        assert shape(theirs) == shape(ours)


def suggesting(text: str) -> tuple[Report, Asked, bytes]:
    """Return a report whose one change leaves ``text`` in its line, and what that line becomes."""
    line = text.translate(dict.fromkeys(map(ord, "\0\r\n"))).encode("utf-8", "replace")
    file = source("a.py", b"x = 1\ns.query(A)  # " + line + b"\ny = 2\n")
    after = file.with_text(file.text.replace(b"s.query(A)", b"s.scalars(select(A))"))
    found = finding(file, "s.query(A)", message=text[:100], help=text[:100])
    change = FileChange("a.py", file, after, (found,))
    made = report(root_report(TOP, change, sources={"a.py": file}))
    staged = Staged(lambda _root, _change: (change,), since="base")
    return made, Asked("diff", TOP, staged=staged), after.text.split(b"\n")[1]


@pytest.fixture
def everything_is_new(monkeypatch):
    changed = ChangedLines("base", {"a.py": (Hunk(1, 3),)}, frozenset({"a.py"}))
    monkeypatch.setattr(github_review, "changed_lines", lambda *_: changed)


@pytest.mark.usefixtures("everything_is_new")
@pytest.mark.parametrize("text", STRINGS, ids=range(200))
@pytest.mark.sampled(20)
def test_a_suggestion_is_the_line_and_nothing_else(text: str) -> None:
    made, asked, line = suggesting(text)
    shown = printable(line.decode()) == line.decode()

    comments = github_review.github_review(made, asked)["comments"]
    assert len(comments) == shown
    for remark in comments:
        assert_only_our_markdown(remark["body"])
        (fence,) = (
            one for one in MarkdownIt().parse(remark["body"]) if one.type in {"fence", "code_block"}
        )
        assert (fence.info, fence.content) == ("suggestion", f"{line.decode()}\n")

    (told,) = json.loads(b"".join(rdjson.write(made, asked)))["diagnostics"]
    texts = [one["text"] for one in told.get("suggestions", ())]
    assert texts == ([line.decode()] if shown else [])


def test_most_hostile_strings_reach_a_suggestion() -> None:
    lines = [suggesting(text)[2].decode() for text in STRINGS]

    assert sum(printable(line) == line for line in lines) > 150


def shape(value: object) -> object:
    """Return the keys of a document, without its values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else None
