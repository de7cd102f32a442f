"""Lines that edits make too long are broken; others are left, and the way back is known."""

from __future__ import annotations

import pytest
from rewriting_helpers import PATH, change

from awaken.contract import Span, TextEdit
from awaken.engine.formatting.formatter import Formatter
from awaken.engine.planning.in_memory import apply_in_memory
from awaken.workspace.sources import Snapshot, decode

LIMIT = Formatter(line_length=36)


def made(text, old, new):
    """Return the text in which ``old`` became ``new``, and the way back."""
    source = decode(PATH, text.encode())
    start = source.text.rindex(old.encode())
    span = Span(start, start + len(old.encode()))
    edit = TextEdit(path=PATH, anchor=span, text=new, site="s")
    result = apply_in_memory(Snapshot({PATH: source}), [change(edit)], {}, LIMIT)
    assert result.problems == ()
    return result.snapshot[PATH].raw().decode(), result


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_line_that_gets_too_long_is_broken(newline):
    lines = ["# ä", "def f(first, second):", "    return g(first, second, 'ö')", "x = 1", ""]
    wanted = [
        "# ä",
        "def f(first, second):",
        "    return g(",
        "        first_of_all, second, 'ö'",
        "    )",
        "x = 1",
        "",
    ]

    text, _ = made(newline.join(lines), "first", "first_of_all")

    assert text == newline.join(wanted)


def test_the_indentation_of_the_file_is_kept():
    text, _ = made("if x:\n\tcall(first, second, third)\n", "first", "some_of_the_first_ones_of")

    assert text == "if x:\n\tcall(\n\t\tsome_of_the_first_ones_of,\n\t\tsecond,\n\t\tthird,\n\t)\n"


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        pytest.param("call(first, second)\n", "first", "the_first", id="fits"),
        pytest.param("call(first, second, third)  # of many\n", "first", "the_first", id="comment"),
        pytest.param("call(one, two, three); other(four)\n", "one", "number_one", id="statements"),
        pytest.param(
            "call_with_a_long_name(number_1, the_second_of_them)\n",
            "number_1",
            "number1",
            id="was longer before",
        ),
        pytest.param(
            'x = f(one, """a\nb""", second, of_all_the_others)\n',
            "second",
            "the_second_of_them",
            id="a string over lines",
        ),
        pytest.param(
            "x = one + \\\n    call(first, second, third)\n",
            "first",
            "the_first_of_all",
            id="continued",
        ),
    ],
)
def test_stays_as_it_is_written(text, old, new):
    found, _ = made(text, old, new)

    assert found == text.replace(old, new)


def test_lines_that_are_not_changed_stay():
    far = "call_of_a_function(first_one, second_one, third_one)\n"

    text, _ = made(f"{far}x = lone\n{far}", "lone", "own")

    assert text == f"{far}x = own\n{far}"


def test_the_comma_in_front_of_a_closing_bracket():
    text, _ = made("call(\n    first, second, third\n)\n", "first", "the_first_of_all_of_them")

    assert text == "call(\n    the_first_of_all_of_them,\n    second,\n    third,\n)\n"


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("class A:\n    def f(self):\n        ", "\n    y\nz\n"),
        ("if x:\n          ", "\nz\n"),
        ("if x: pass\nelif y:\n    ", "\nelse: pass\n"),
        ("try:\n    x\nexcept A:\n    ", "\nfinally:\n    y\n"),
        ("match x:\n    case (a,\n        b):\n        ", "\n"),
        ("x = '''(\n'''\n", "\n'''\n)'''\n"),
        ("@a(\n    b\n)\ndef f():\n    ", "\n"),
        ("x = (\n    1)\n# (\n", ""),
    ],
)
def test_a_line_is_broken_wherever_it_stands(above, below):
    above = f"if p:\n    q\n{above}"  # the indentation of the file
    indent = " " * (len(above) - len(above.rstrip(" ")))
    inside = f"{'o' * (31 - len(indent) - 4)}ne"

    text, _ = made(f"{above}call(one, a){below}", "one", inside)

    assert text == f"{above}call(\n{indent}    {inside}, a\n{indent}){below}"


def test_a_line_behind_the_end_of_a_string_over_lines():
    line = "f(one_of_many, number_2)"

    text, _ = made(f"x = '''(\n'''; {line}\n", "number_2", "number_number_2")

    assert text == f"x = '''(\n'''; {line.replace('number_2', 'number_number_2')}\n"


def test_the_header_of_an_elif():
    text, _ = made("if x: pass\nelif f(first, second):\n    y\n", "second", "second_of_all_of_them")

    assert text == "if x: pass\nelif f(\n    first, second_of_all_of_them\n):\n    y\n"


def test_several_lines_of_one_statement():
    lines = [f"    {name}: call(one, two, three),\n" for name in ("first", "second", "third")]
    old = f"{{\n{''.join(lines)}}}"
    new = old.replace("call(one", "call(number_one")

    text, _ = made(f"x = {old}\n", old, new)

    broken = "call(\n        number_one, two, three\n    )"
    assert text == f"x = {new.replace('call(number_one, two, three)', broken)}\n"


def test_brackets_in_front_of_the_last_one_that_stays_open():
    text, _ = made("x = Maker(one, two).make(\n    three\n)\n", "Maker", "MakerOfEachOfThem")

    assert text == "x = MakerOfEachOfThem(\n    one, two\n).make(\n    three\n)\n"


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("x = the_name_of_a_function(\n    three\n)\n", "the_name"),
        ("x = {1: call(two), 3: four(\n    three\n)}\n", "call"),
        ("def function_with(\n    three,\n): pass\n", "function_with"),
    ],
)
def test_lines_with_no_brackets_to_break_stay(text, old):
    new = f"{old}_that_has_a_long_name"
    found, _ = made(text, old, new)

    assert found == text.replace(old, new)
