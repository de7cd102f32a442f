"""Lines of values in TOML: of whatever is asked, however it is written."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.workspace.formats.toml_text import NotToml, line_of, parse_toml

TEXT = '''\
top = 1
# [a]
"quoted key" = { inner = [1, 2] }

[a]
text = """
[b]
x = 1
"""
b.c = "dotted"
many = [
  # one
  "x", "y",

  ["z",
   "w"],
  { k = 1, l = [
    2, 3] },
]

[[list]]
n = 0
[list.sub]
m = 0
[[list]]
[[list.deep]]
d = 0
[[list.deep]]
d = 1
[b]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("quoted key", "inner", 1), 3),
        (("a",), 5),
        (("a", "text"), 6),
        (("b", "x"), 31),
        (("a", "b", "c"), 10),
        (("a", "many"), 11),
        (("a", "many", 0), 13),
        (("a", "many", 1), 13),
        (("a", "many", 2, 0), 15),
        (("a", "many", 2, 1), 16),
        (("a", "many", 3, "k"), 17),
        (("a", "many", 3, "l", 1), 18),
        (("list", 0), 21),
        (("list", 0, "n"), 22),
        (("list", 0, "sub", "m"), 24),
        (("list", 1), 25),
        (("list", 1, "deep", 0, "d"), 27),
        (("list", 1, "deep", 1, "d"), 29),
        (("list", 1, "missing"), 25),
        (("list", 1, "deep", 0, "missing"), 26),
        (("missing",), 1),
        ((), 1),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_value_is_found_at_its_line(path, line, newline):
    assert line_of(TEXT.replace("\n", newline), path) == line


keys = st.sampled_from(["a", "b", "c d"])


@given(st.lists(st.tuples(keys, st.lists(st.integers(0, 9), max_size=4)), max_size=4))
def test_the_line_of_every_element_is_found(tables):
    lines, expected = [], {}
    for number, (key, numbers) in enumerate(tables):
        lines += ["[[t]]", f'"{key}" = [']
        for index, value in enumerate(numbers):
            lines.append(f"  {value},  # ] = [")
            expected["t", number, key, index] = len(lines)
        lines.append("]")
    text = "\n".join(lines)

    parse_toml(text)
    assert {path: line_of(text, path) for path in expected} == expected


@pytest.mark.parametrize(
    ("text", "line"), [("a = \n", 1), ("\n\nb = [1,\n2", 4), ("[a]\n[a]", 2), ("a = '''\n\n", 1)]
)
def test_what_is_not_toml_is_told_with_its_line(text, line):
    with pytest.raises(NotToml) as caught:
        parse_toml(text)

    assert caught.value.line == line
    assert "(at" not in str(caught.value)


@pytest.mark.parametrize("limit", [1_000, 100_000])
@pytest.mark.parametrize("opened", ["[", "{a=", "[{a=[", "[ # [\n", "['[', "])
def test_nesting_is_limited_whatever_the_limit_of_recursion_is(opened, limit):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        with pytest.raises(NotToml, match="it is nested more than 100 levels deep"):
            parse_toml("x = " + opened * 5_000)
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    ("levels", "opened", "closed"), [(100, "[", "]"), (100, "{a=", "}"), (50, "[{a=", "}]")]
)
def test_what_is_nested_less_is_read_among_brackets_that_open_nothing(levels, opened, closed):
    noise = "".join(f"[t{number}]\n'[{{' = '[[{{{{' # [[[{{{{{{\n" for number in range(200))

    tables = parse_toml(f"{noise}x = {opened * levels}1{closed * levels}\n")

    assert len(tables) == 200
