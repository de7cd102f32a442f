from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from awaken.preview.choices import Color
from awaken.preview.console.code import Highlighted, code_text, fold, underline
from awaken.preview.console.console import make_console
from awaken.preview.console.page import Page
from awaken.preview.console.text import Text

TRAPS = ["List[str]", "a[/b]", "[red]x[/red]", ":smile:", "[link=x]", "\\[bold]", "[[]]", "{}%s"]


def styles_at(text: Text, part: str) -> set[str]:
    start = text.plain.index(part)
    return {
        style
        for first, stop, style in text.stretches
        if first <= start and start + len(part) <= stop
    }


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_in_code_is_markup(trap: str) -> None:
    stream = io.StringIO()
    page = Page(make_console(stream, Color.NEVER))
    page.code(Text("1 "), code_text(trap, ()), Text("  "))
    page.row(trap, (trap, "path"))
    page.hanging(Text(), trap)

    assert stream.getvalue() == f"1 {trap}\n{trap}{trap}\n{trap}\n"


def test_no_text_can_act_on_the_terminal() -> None:
    stream = io.StringIO()
    page = Page(make_console(stream, Color.NEVER))
    page.row("a\x1b[31m", ("b\x1b", "path"))
    page.rule("c\x07\n")
    page.hanging(Text("d "), "e\u202e")

    assert stream.getvalue() == "a\\x1b[31mb\\x1b\n── c\\x07\\n ──\nd e\\u202e\n"


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\x1b", "\\x1b"),
        ("\x07", "\\x07"),
        ("\x9b", "\\x9b"),
        ("\r", "\\r"),
        ("\x0c", "\\x0c"),
        ("\u202e", "\\u202e"),
        ("\u200b", "\\u200b"),
        ("\ufeff", "\\ufeff"),
        ("\u2028", "\\u2028"),
        ("\udc80", "\\udc80"),
    ],
)
def test_a_character_that_acts_or_hides_is_shown_as_its_escape(char: str, shown: str) -> None:
    text = code_text(f"a{char}b", ())

    assert text.plain == f"a{shown}b"
    assert styles_at(text, shown) == {"escape"}


def test_tabs_go_to_the_next_stop_and_wide_characters_take_two_cells() -> None:
    assert code_text("\tx\ty", ()).plain == "    x   y"
    assert code_text("日\tx", ()).plain == "日  x"


def test_an_underline_stands_below_its_characters() -> None:
    line = "\tx = '日本' + a"

    assert underline(line, line.index("'"), line.index("'") + 4) == " " * 8 + "^" * 6
    assert underline(line, len(line), len(line)) == " " * 18 + "^"


def test_syntax_gets_colours_that_span_lines() -> None:
    lines = ['x = """one', "two def", '"""', "def name(a): return 1  # why"]
    shown = Highlighted("a.py", lines, [range(1, 4)])

    assert styles_at(shown.text(1), "def") == {"code.string"}
    assert styles_at(shown.text(3), "def") == {"code.keyword"}
    assert styles_at(shown.text(3), "name") == {"code.name"}
    assert styles_at(shown.text(3), "# why") == {"code.comment"}


SAMPLE = '''\
"""A page: it's "quoted" and goes
def on(): pass
"""

def real(x):  # it's a comment with """ in it
    a = "one # no comment" + \'\\\'\' + x
    b = f"{x!r:>{a}} def" \\
        "class"
    return r"""
    # def text
    """, "unclosed \\
    def text", None
'''.splitlines()


@pytest.mark.parametrize("index", range(len(SAMPLE)))
def test_a_part_has_the_colours_that_the_whole_gives_it(index):
    whole = Highlighted("a.py", SAMPLE, [range(len(SAMPLE))]).text(index)
    part = Highlighted("a.py", SAMPLE, [range(index, index + 1)]).text(index)

    assert [styles_at(part, char) for char in part.plain] == [
        styles_at(whole, char) for char in whole.plain
    ]


def test_a_mark_lies_over_the_colours_of_its_characters() -> None:
    text = Highlighted("a.py", ["\treturn 1"], [range(1)]).text(0, [(1, 7, "removed.word")])

    assert styles_at(text, "return") == {"code.keyword", "removed.word"}
    assert styles_at(text, "1") == {"code.number"}


def test_other_languages_are_coloured_by_their_file_name() -> None:
    assert styles_at(Highlighted("a.toml", ["a = 1"], [range(1)]).text(0), "1") == {"code.number"}
    assert Highlighted("LICENSE", ["a = 1"], [range(1)]).text(0).plain == "a = 1"


any_line = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60)


@given(line=any_line, width=st.integers(8, 40), hang=st.integers(0, 4))
@pytest.mark.slow
def test_folding_loses_nothing_and_fits(line: str, width: int, hang: int) -> None:
    whole = code_text(line, ())
    rows = fold(whole, width, width - hang)

    assert "".join(row.plain for row in rows) == whole.plain
    assert cell_len(rows[0].plain) <= width
    assert all(cell_len(row.plain) <= width - hang for row in rows[1:])


@given(line=any_line)
def test_what_is_shown_holds_no_control_character(line: str) -> None:
    hidden = {"Cc", "Cf", "Zl", "Zp", "Cs"}

    assert hidden.isdisjoint(map(unicodedata.category, code_text(line, ()).plain))


@given(line=any_line)
def test_highlighting_changes_no_text(line: str) -> None:
    assert Highlighted("a.py", [line], [range(1)]).text(0).plain == code_text(line, ()).plain
