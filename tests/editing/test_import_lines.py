"""The text of import statements."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.contract import Surroundings
from awaken.editing.import_lines import (
    add_name,
    by_type,
    new_import,
    remove_name,
    sort_key,
)


@pytest.mark.parametrize(
    ("names", "key"),
    [
        ([], "by_type"),
        (["A", "a"], "by_type"),
        (["MAX", "Class", "function"], "by_type"),
        (["a", "B", "c"], "_ignoring_case"),
        (["B", "MAX", "x"], "_ignoring_case"),
        (["Ab", "MAX", "Zb", "a"], "_as_text"),
        (["b", "a"], None),
    ],
)
def test_the_order_that_names_are_in(names, key):
    found = sort_key(names)
    assert (found.__name__ if found else None) == key


def test_a_new_import_is_sorted_and_fits_its_line():
    assert new_import("m", ["b", "C", "a"], Surroundings()) == "from m import C, a, b"
    style = Surroundings(newline="\r\n", indent="\t", line_indent="  ", line_length=22)
    assert new_import("m", ["b", "a as c"], style) == (
        "from m import (\r\n  \ta as c,\r\n  \tb,\r\n  )"
    )
    assert new_import("m", ["b", "a"], style) == "from m import a, b"


def test_positions_are_characters_not_bytes():
    assert add_name("from größe import ä, ü", "ö", Surroundings()).count("ö, ü") in {0, 1}
    assert remove_name("from größe import ä, ö, ü", "ö") == "from größe import ä, ü"


@pytest.mark.parametrize(
    ("statement", "bound"),
    [
        ("from m import (\n    a,  # c\n    b,\n)", "a"),
        ("from m import (  # c\n    a,\n)", "a"),
        ("from m import (\n    a,\n    # c\n    b)", "b"),
    ],
)
def test_a_comment_that_would_be_lost_keeps_the_name(statement, bound):
    assert remove_name(statement, bound) is None


def test_a_plain_import_loses_one_of_its_names():
    assert remove_name("import a.b, c as d", "a.b") == "import c as d"
    assert remove_name("import a, c as d", "d") == "import a"
    assert remove_name("import a", "a") == ""


@pytest.mark.parametrize(
    ("statement", "name", "wanted"),
    [
        (
            "from m import (a, c,\n               d)",
            "b",
            "from m import (a, b, c,\n               d)",
        ),
        (
            "from m import (a, b,\n               d)",
            "c",
            "from m import (a, b,\n               c, d)",
        ),
        (
            "from m import (a, b,\n               d)",
            "e",
            "from m import (a, b,\n               d, e)",
        ),
        ("from m import (\n    a, b,\n    d,\n)", "e", "from m import (\n    a, b,\n    d, e,\n)"),
        ("from m import a, b, \\\n    d", "c", "from m import a, b, \\\n    c, d"),
        ("from m import (\n    a,\n    c,\n)", "b", "from m import (\n    a,\n    b,\n    c,\n)"),
        (
            "from m import (a,\n               c)",
            "b",
            "from m import (a,\n               b,\n               c)",
        ),
    ],
)
def test_a_name_joins_the_line_of_others(statement, name, wanted):
    assert add_name(statement, name, Surroundings()) == wanted


def test_a_name_that_does_not_fit_gets_a_line():
    statement = "from m import (a, b,\n               d, e)"
    added = add_name(statement, "c", Surroundings(line_length=20))
    assert added == "from m import (a, b,\n               c,\n               d, e)"


LAYOUTS = st.sampled_from(["line", "brackets", "trailing comma", "own lines", "grid", "backslash"])


def laid_out(names, layout):
    return {
        "line": f"from m import {', '.join(names)}",
        "brackets": f"from m import ({', '.join(names)})",
        "trailing comma": f"from m import ({', '.join(names)},)",
        "own lines": "from m import (\n" + "".join(f"    {name},\n" for name in names) + ")",
        "grid": "from m import (" + ",\n               ".join(names) + ")",
        "backslash": "from m import " + ", \\\n    ".join(names),
    }[layout]


def names_of(statement):
    (node,) = ast.parse(statement).body
    return [alias.name for alias in node.names]


@given(
    st.lists(st.sampled_from("abcdXYZ"), min_size=1, max_size=6, unique=True),
    LAYOUTS,
    st.sampled_from(["e", "M", "z", "MAX"]),
    st.sampled_from([20, 88]),
    st.booleans(),
)
def test_adding_keeps_all_names_and_their_order(names, layout, new, length, ordered):
    names = sorted(names, key=by_type) if ordered else names
    added = add_name(laid_out(names, layout), new, Surroundings(line_length=length))
    found = names_of(added)
    assert [name for name in found if name != new] == names
    assert found.count(new) == 1
    if sort_key(names) is by_type:
        assert sort_key(found) is by_type
    assert remove_name(added, new) is not None
    assert names_of(remove_name(added, new)) == names


@given(
    st.lists(st.sampled_from("abcdXYZ"), min_size=2, max_size=6, unique=True), LAYOUTS, st.data()
)
def test_removing_keeps_the_other_names(names, layout, data):
    gone = data.draw(st.sampled_from(names))
    left = [name for name in names if name != gone]
    assert names_of(remove_name(laid_out(names, layout), gone)) == left
