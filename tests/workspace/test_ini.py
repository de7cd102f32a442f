"""INI files are read as configparser reads them, in one pass."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.workspace.formats.ini import NotIni, expanded_value, parse_ini

LINES = st.sampled_from(
    [
        *("[a]", "[b]", "[DEFAULT]", "[a] x", "[", "x = 1", "X: 2", "y=", "  more", " y = 3"),
        *("    deep", "", "   ", "# c", "  ; c", "=v", "z", "a b = c = d", "\t= 1", "k = [x]"),
        *("[]", "[a]]"),
    ]
)


@given(lines=st.lists(LINES, max_size=12), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_same_as_configparser(lines, end):
    reference = configparser.ConfigParser(interpolation=None)
    try:
        reference.read_string("\n".join(lines))
        expected = {name: dict(reference[name]) for name in reference.sections()}
    except configparser.Error:
        expected = None
    try:
        found = parse_ini(end.join(lines))
    except NotIni:
        found = None

    assert found == expected


REFERENCES = st.sampled_from(["%(a)s", "%(B)s", "%%", "x", "%(gone)s", "%", "(a)s", "\n", "%(c)s"])


@given(st.lists(st.lists(REFERENCES, max_size=3).map("".join), min_size=3, max_size=3))
def test_references_lead_where_configparser_says(values):
    options = dict(zip("abc", values, strict=True))
    reference = configparser.ConfigParser()
    reference.read_dict({"s": {}})
    reference._sections["s"] = dict(options)
    try:
        expected = reference.get("s", "a")
    except (configparser.Error, RecursionError):
        expected = None
    try:
        found = expanded_value(options, "a")
    except ValueError:
        found = None

    assert found == expected


@pytest.mark.parametrize(
    ("text", "line"), [("x", 1), ("\n[a]\nx", 3), ("[a]\n[a]", 2), ("[a]\nx=1\nX=2", 3)]
)
def test_what_is_no_ini_file_is_told_with_its_line(text, line):
    with pytest.raises(NotIni) as caught:
        parse_ini(text)

    assert caught.value.line == line


def test_references_do_not_grow_without_end():
    options = {f"o{n}": f"%(o{n + 1})s" * 10 for n in range(9)} | {"o9": "x" * 10}

    with pytest.raises(ValueError, match="grows beyond"):
        expanded_value(options, "o0")
