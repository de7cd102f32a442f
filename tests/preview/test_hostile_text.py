"""Whatever a repository says, in any message and any form: it is shown, and does not act."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hostile_report import TOP, hostile_report
from hostile_text import ACTING, Terminal, assert_inactive, hostile
from hypothesis import given
from hypothesis import strategies as st
from report_builders import change_of, file_change, finding, root_report, source

from awaken import api
from awaken.cli import main
from awaken.contract import Place, Span, UserError
from awaken.engine.asking.answers import Question
from awaken.engine.explaining.explanation import AskedPlace, Explanation, Site, Why
from awaken.engine.report import SuppressedBy, SuppressedSite
from awaken.preview.choices import Color, Form, View
from awaken.preview.console.console import make_console
from awaken.preview.documents.explanation_document import explanation_document
from awaken.preview.show import show
from awaken.preview.streams.messages import say
from awaken.preview.streams.output import send
from awaken.preview.streams.visible import harmless, visible
from awaken.preview.terminal.explained_place import print_explanation
from awaken.preview.terminal.question_screen import Screen

FOR_PEOPLE = [form for form in Form if form is not Form.PATCH]
FOR_TERMINALS = list(Form)


class Printed:
    """What went to stdout and stderr, or to two terminals."""

    def __init__(self, kind: type[io.TextIOWrapper]) -> None:
        self.out = kind(io.BytesIO(), "utf-8", "backslashreplace", newline="")
        self.err = kind(io.BytesIO(), "utf-8", "backslashreplace", newline="")

    def bytes(self) -> bytes:
        self.out.flush()
        self.err.flush()
        return self.out.buffer.getvalue() + self.err.buffer.getvalue()


@contextmanager
def printing(kind: type[io.TextIOWrapper] = io.TextIOWrapper) -> Iterator[Printed]:
    printed, before = Printed(kind), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = printed.out, printed.err
    try:
        yield printed
    finally:
        sys.stdout, sys.stderr = before


def again(command: str, *more: str) -> str:
    return " ".join(["awaken", command, *more])


def shown(
    text: str, command: str, view: View, kind: type[io.TextIOWrapper] = io.TextIOWrapper
) -> bytes:
    with printing(kind) as printed:
        show(hostile_report(text), command, view, again)
    return printed.bytes()


# ----------------------------------------------------------------------------------- the forms
@given(hostile, st.sampled_from(["check", "diff", "apply"]), st.sampled_from(FOR_PEOPLE))
def test_no_form_that_is_piped_prints_what_acts(text: str, command: str, form: Form) -> None:
    assert_inactive(shown(text, command, View(form=form, verbose=True)))


@given(hostile, st.sampled_from(["check", "diff"]), st.sampled_from(FOR_TERMINALS), st.booleans())
def test_no_form_prints_what_acts_on_a_terminal(
    text: str, command: str, form: Form, beside: bool
) -> None:
    view = View(form=form, color=Color.ALWAYS, side_by_side=beside, pager=False)

    assert_inactive(shown(text, command, view, Terminal))


@given(hostile)
def test_counts_say_no_more_than_findings(text: str) -> None:
    assert_inactive(shown(text, "check", View(statistics=True)))


@pytest.mark.parametrize("text", ACTING)
@pytest.mark.parametrize("form", FOR_TERMINALS)
@pytest.mark.sampled(4)
def test_each_text_by_itself(text: str, form: Form) -> None:
    assert_inactive(shown(text, "diff", View(form=form, pager=False), Terminal))


@pytest.mark.parametrize("text", ACTING)
@pytest.mark.parametrize("form", FOR_PEOPLE)
@pytest.mark.sampled(4)
def test_each_text_by_itself_in_a_pipe(text: str, form: Form) -> None:
    assert_inactive(shown(text, "check", View(form=form)))


def test_a_patch_that_is_piped_has_every_byte_of_the_files_and_quoted_names() -> None:
    line = "x = '\x1b[8m\u202e##[error]'"

    printed = shown(line, "diff", View(form=Form.PATCH, quiet=True))

    assert line.encode() in printed
    assert b'diff --git "a/' in printed
    (header, *_) = printed.split(b"\n")
    assert_inactive(header)


# ----------------------------------------------------------------------- what is drawn by itself
@given(hostile, st.sampled_from(list(Color)))
def test_explanations(text: str, color: Color) -> None:
    file = source(f"{text}.py", b"query(1)\n" + visible(text).encode() + b"\n")
    found = finding(file, "query(1)", rule=text, scope=text, message=text, help=text)
    change = change_of(found, file.path, text)
    made = file_change(file.path, file.text, b"select(1)\n", (found,))
    site = Site(
        finding=found,
        status="held",
        change=change,
        files=(made,),
        suppressed=SuppressedSite(found, SuppressedBy.COMMENT, text, Place(file.path, Span(0, 1))),
    )
    asked = AskedPlace(file.path, 1, None, file.path)
    report = root_report(
        TOP, findings=(found,), sources={file.path: file}, changes=(change,), pending=()
    )
    with_site = Explanation(
        asked=asked, root=TOP, source=file, sites=(site,), note=text, report=report
    )
    without = Explanation(
        asked=asked, root=TOP, source=file, whys=(Why(code=text, message=text, help=text),)
    )

    with printing(Terminal) as printed:
        for one in (with_site, without):
            print_explanation(one, make_console(sys.stdout, color), TOP)
            send([explanation_document(one, TOP)], sys.stdout)

    assert_inactive(printed.bytes())


@given(hostile)
def test_questions(text: str) -> None:
    answers = iter([f"{text}\n", "e\n", "?\n", "y\n"])
    (root, *_) = hostile_report(text).roots
    question = Question(root, root.changes[0], root.findings[:1], root.files, 1, 1)

    with printing(Terminal) as printed:
        console = make_console(sys.stdout, Color.ALWAYS)
        screen = Screen(console, TOP, lambda: next(answers), lambda *_: text, View())
        screen.ask(question)

    assert_inactive(printed.bytes())


# --------------------------------------------------------------------------- what goes wrong
FAILURES: dict[str, Callable[[str], Exception]] = {
    "user": UserError,
    "system": lambda text: OSError(errno.EIO, text, text),
    "other": ValueError,
}


@given(hostile, st.sampled_from(sorted(FAILURES)), st.booleans())
def test_errors(text: str, kind: str, verbose: bool) -> None:
    error = FAILURES[kind](text)

    def fail(*_: object, **__: object) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch, printing() as printed:
        patch.setattr(api, "run", fail)
        code = main(["check", *(["-v"] if verbose else [])])

    assert code == 2
    assert_inactive(printed.bytes())


@given(hostile)
@pytest.mark.slow
def test_words_of_the_command_line(text: str) -> None:
    with printing() as printed:
        codes = [main([text]), main(["check", "--select", text]), main(["explain", text])]

    assert codes == [2, 2, 2]
    assert_inactive(printed.bytes())


# ------------------------------------------------------------------------------ the mechanism
@given(hostile)
def test_the_ways_out_need_nobody_to_escape_before(text: str) -> None:
    with printing(Terminal) as printed:
        say(text)
        send([text, text.encode("utf-8", "surrogateescape")], sys.stdout)
        make_console(sys.stdout, Color.ALWAYS).print(text, f"[link=x]{text}", style="path")

    assert_inactive(printed.bytes())


@given(hostile)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)
    assert visible(visible(text)) == visible(text)


def test_what_a_runner_would_obey_can_still_be_read() -> None:
    assert harmless("::error::x.py") == r"\u003a:error::x.py"
    assert harmless("a\n \t::x::") == "a\n \t\\u003a:x::"
    assert harmless("# ###[x] ##vso[y] a::b") == r"# ##\u0023[x] #\u0023vso[y] a::b"


def test_markup_is_text() -> None:
    with printing() as printed:
        make_console(sys.stdout, Color.ALWAYS).print("[red]a[/red] [link=http://x]b[/link] :smile:")

    assert printed.bytes().decode() == f"[red]a[/red] [link=http://x]b[/link] :smile:{os.linesep}"
