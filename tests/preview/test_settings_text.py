from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.preview.documents.settings_text import patterns_in, toml_key, toml_value
from awaken.workspace.ignores import PathPatterns

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(TEXT, PLAIN)
def test_what_is_written_is_read_back(key, value):
    assert tomllib.loads(f"{toml_key(key)} = {toml_value(value)}\n") == {key: value}


@pytest.mark.parametrize("text", ["\x1b[31m", "\u202e", "\x7f", "\x9b", "\u2028", "\U000e0001"])
def test_what_cannot_be_seen_is_escaped(text):
    written = toml_value(f"a{text}b")

    assert written.isascii()
    assert tomllib.loads(f"x = {written}") == {"x": f"a{text}b"}


@pytest.mark.parametrize(
    ("directory", "pattern", "moved"),
    [
        (None, "a/b", ["a/b"]),
        ("/top/shop", "a/b", ["a/b"]),
        ("/top", "gen", ["gen"]),
        ("/top", "!gen/", ["!gen/"]),
        ("/top", "shop/gen/", ["/gen/"]),
        ("/top", "!/shop/gen", ["!/gen"]),
        ("/top", "*/gen", ["/gen"]),
        ("/top", "other/gen", []),
        ("/top", "**/gen", ["**/gen"]),
        ("/top", "/shop", []),
        ("/top/shop/a[1]", "gen", ["/a\\[1\\]/**/gen"]),
        ("/top/shop/a", "x/gen", ["/a/x/gen"]),
        ("/elsewhere", "gen", []),
    ],
)
def test_patterns_are_written_as_the_root_has_to(directory, pattern, moved):
    one = PathPatterns((pattern,), None if directory is None else Path(directory))

    assert list(patterns_in([one], Path("/top/shop"))) == moved
