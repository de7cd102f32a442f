"""Imports after edits: added where the file's style puts them, removed where nothing needs them."""

from __future__ import annotations

import ast

import pytest
from rewriting_helpers import PATH, after, change, need, node_edit, refused, release, run

from awaken.workspace.sources import SourceFile

# In the tables of this file, | is the end of a line.


def imported(text, *edits, **options):
    return after(text, change(*edits), **options)


# ------------------------------------------------------------------------- names in a statement
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("from library import a", "from library import a, name"),
        ("from library import z", "from library import name, z"),
        ("from library import z, a", "from library import z, a, name"),
        ("from library import Z, a", "from library import Z, a, name"),
        ("from library import (a, z)", "from library import (a, name, z)"),
        ("from library import (a,)", "from library import (a, name,)"),
        ("from library import a  # c", "from library import a, name  # c"),
        ("from library import a as b, z", "from library import a as b, name, z"),
        (
            "from library import (|    a,|    z,|)",
            "from library import (|    a,|    name,|    z,|)",
        ),
        ("from library import (|    a,|)", "from library import (|    a,|    name,|)"),
        ("from library import (|    a|)", "from library import (|    a,|    name|)"),
        ("from library import (|    a,  # c|)", "from library import (|    a,  # c|    name,|)"),
        ("from library import (|    a  # c|)", "from library import (|    a,  # c|    name|)"),
        (
            "from library import (|    # c|    z,|)",
            "from library import (|    # c|    name,|    z,|)",
        ),
        (
            "from library import (a,|                     b)",
            "from library import (a,|                     b,|                     name)",
        ),
        ("from library import a, \\|    b", "from library import a, \\|    b, name"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_name_joins_an_import_in_its_style(before, expected, newline):
    before, expected = (f"{text}|x = 1|".replace("|", newline) for text in (before, expected))
    assert imported(before, need("name")) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "from library import a|from library import z",
            "from library import a|from library import name|from library import z",
        ),
        (
            "from library import B|from library import z|from other import c",
            (
                "from library import B|from library import name|from library import z|"
                "from other import c"
            ),
        ),
        (
            "from library import z|from library import a",
            "from library import z|from library import a|from library import name",
        ),
        (
            "from a import b|from a import c|from other import d",
            "from a import b|from a import c|from library import name|from other import d",
        ),
        ("from a import b|from library import z", "from a import b|from library import name, z"),
    ],
)
def test_a_file_with_one_name_per_line_stays_so(before, expected):
    text = before.replace("|", "\n") + "\n\nuse(1)\n"

    assert imported(text, need("name")) == expected.replace("|", "\n") + "\n\nuse(1)\n"


def test_a_line_that_grows_too_long_is_broken_up():
    names = ", ".join(f"name_{n}" for n in range(9))
    found = imported(f"from library import {names}\n", need("name_9"))
    lines = "".join(f"    name_{n},\n" for n in range(10))
    assert found == f"from library import (\n{lines})\n"


def test_names_of_several_changes_share_a_line():
    assert after("", change(need("b")), change(need("a"))) == "from library import a, b\n"


def test_an_import_that_two_changes_need_is_made_once():
    assert after("", change(need("a")), change(need("a"))) == "from library import a\n"


@pytest.mark.parametrize(
    "text",
    [
        "from library import name\n",
        "from library import (\n    other,\n    name,\n)\n",
        "import x\n\n\nfrom library import name\nname()\n",
    ],
)
def test_what_is_imported_already_is_not_imported_again(text):
    assert imported(text, need("name")) == text


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("import library\n", need(None, "library"), "import library\n"),
        ("import library.orm\n", need(None, "library"), "import library.orm\n"),
        ("import library\n", need(None, "library.orm"), "import library\nimport library.orm\n"),
        ("import library as l\n", need(None, "library"), "import library as l\nimport library\n"),
        ("import a\n", need(None, "library", "l"), "import a\nimport library as l\n"),
        (
            "from library import a\n",
            need("a", alias="b"),
            "from library import a\nfrom library import a as b\n",
        ),
        (
            "from library import b as a\n",
            need("a", alias="c"),
            "from library import a as c\nfrom library import b as a\n",
        ),
        (
            "from library import m as n\nimport zoo\n",
            need("name"),
            "from library import m as n\nfrom library import name\nimport zoo\n",
        ),
        (
            "from library import m, n as o\n",
            need("a", alias="b"),
            "from library import a as b, m, n as o\n",
        ),
        (
            "from x import y as z, z as y\n",
            need("a", alias="b"),
            "from library import a as b\nfrom x import y as z, z as y\n",
        ),
        ("from . import a\n", need("b"), "from library import b\n\nfrom . import a\n"),
    ],
)
def test_plain_imports_and_aliases(text, wanted, expected):
    assert imported(text, wanted) == expected


def test_a_relative_import_of_the_same_module_is_the_same():
    files = {
        "app/shop.py": SourceFile("app/shop.py", b""),
        "app/__init__.py": SourceFile("app/__init__.py", b""),
    }
    text = "from .models import User\n"
    wanted = need("Address", "app.models")
    source = SourceFile("app/views.py", text.encode())
    edit = type(wanted)(path="app/views.py", module="app.models", name="Address", site="s")
    result = run("", change(edit), files={**files, "app/views.py": source})
    assert result.snapshot["app/views.py"].text == b"from .models import Address, User\n"
    files = {**files, "app/__init__.py": SourceFile("app/__init__.py", text.encode())}
    edit = type(wanted)(path="app/__init__.py", module="app.models", name="Address", site="s")
    result = run("", change(edit), files=files)
    assert result.snapshot["app/__init__.py"].text == b"from .models import Address, User\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import os\n\nfrom aa import b\n\nimport yy\nimport zz\n",
            "import os\n\nfrom aa import b\nfrom library import name\n\nimport yy\nimport zz\n",
        ),
        (
            "import aa\nimport bb\n\nfrom library.orm import Session\n",
            "import aa\nimport bb\n\nfrom library import name\nfrom library.orm import Session\n",
        ),
        (
            "from aa import b\nfrom re import c\n",
            "from aa import b\nfrom library import name\nfrom re import c\n",
        ),
    ],
)
def test_the_group_of_a_package_that_is_imported_first_or_already(text, expected):
    assert imported(text, need("name")) == expected


# ------------------------------------------------------------------------------ where lines go
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", "NEW|"),
        ("x = 1|", "NEW||x = 1|"),
        ("def f(): 0|", "NEW|||def f(): 0|"),
        ("'doc'|", "'doc'||NEW|"),
        ("'doc'|x = 1", "'doc'||NEW||x = 1"),
        ("'doc'|||class A: 0|", "'doc'||NEW|||class A: 0|"),
        ("'doc'", "'doc'||NEW|"),
        ("#!/bin/sh|# coding: utf-8|x|", "#!/bin/sh|# coding: utf-8||NEW||x|"),
        ("|# coding: utf-8|x|", "|# coding: utf-8||NEW||x|"),
        ("# about|  # coding: utf-8|x|", "# about|  # coding: utf-8||NEW||x|"),
        ("|# coding: utf-8|from zope import a|", "|# coding: utf-8|NEW|from zope import a|"),
        ("x|# coding: this is none|y|", "NEW||x|# coding: this is none|y|"),
        ("# licence||x|", "# licence||NEW||x|"),
        ("# about x|x|", "NEW||# about x|x|"),
        ("from __future__ import annotations|", "from __future__ import annotations||NEW|"),
        ("import os|", "import os||NEW|"),
        ("import os|import django|", "import os|import django|NEW|"),
        ("import os||import django|import zope|", "import os||import django|import zope|NEW|"),
        (
            "import os||from a import b|from z import y|",
            "import os||from a import b|NEW|from z import y|",
        ),
        ("import zope|from a import b|", "import zope|from a import b|NEW|"),
        (
            "from a import b|import mock|import zope|",
            "from a import b|NEW|import mock|import zope|",
        ),
        ("import shop.a|", "NEW||import shop.a|"),
        ("from . import a|", "NEW||from . import a|"),
        ("# c|from . import a|", "# c||NEW||from . import a|"),
        ("import a; import b|x|", "import a; import b|NEW|x|"),
        ("try:|    import z|except E:|    pass|x|", "NEW||try:|    import z|except E:|    pass|x|"),
        ("x = 1|import a|", "NEW||x = 1|import a|"),
        ("# about os|import os|x = 1|import a|", "# about os|import os|x = 1|import a|NEW|"),
        ("import os|import a|x = 1|import z|", "import os|import a|NEW|x = 1|import z|"),
        ("import os|x = 1|import sys|", "import os||NEW||x = 1|import sys|"),
        ("import os|name|import a|", "import os||NEW||name|import a|"),
        ("import os|f(0)|import a|def f(): name|", "import os|f(0)|import a|NEW|def f(): name|"),
        (
            "import a||if TYPE_CHECKING:|    from z import y|",
            "import a|NEW||if TYPE_CHECKING:|    from z import y|",
        ),
        ("import z|import a|import library|", "import z|import a|import library|NEW|"),
        ("import a|# about z|import z|", "import a|# about z|import z|NEW|"),
        (
            "from a import b|# about z|from z import y|",
            "from a import b|NEW|# about z|from z import y|",
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_place_of_a_new_line(before, expected, newline):
    # A file without a line end gets the usual one.
    newline = newline if "|" in before else "\n"
    expected = expected.replace("NEW", "from library import name")
    found = imported(before.replace("|", newline), need("name"))
    assert found == expected.replace("|", newline)


@pytest.mark.parametrize(
    ("comment", "is_copied"),
    [
        ("# noqa: E402", True),
        ("#noqa:E402,I001", True),
        ("# pylint: disable=wrong-import-position", True),
        ("# noqa: E402, F401", False),
        ("# noqa", False),
        ("# noqa: E402 because of the path", False),
        ("# pylint: disable=unused-import", False),
        ("# about a", False),
    ],
)
def test_an_import_below_code_gets_the_comment_that_allows_it(comment, is_copied):
    new = f"from library import name{'  ' * is_copied}{comment * is_copied}\n"
    for line in ("from a import b", "from zope import y"):
        above, below = f"import os\n\nos.x()\n\n{line}  {comment}\n", "\nname\n"
        parts = [above, new] if line.startswith("from a") else ["import os\n\nos.x()\n\n", new]
        rest = "" if line.startswith("from a") else f"{line}  {comment}\n"

        assert imported(above + below, need("name")) == "".join([*parts, rest, below])
        # It says nothing of the use of its import, so that the import goes with its last use.
        unused = f"x()\nfrom library import name  {comment}\ny()\n"
        assert (imported(unused, release("name")) == "x()\ny()\n") is is_copied


def test_a_comment_follows_the_first_line_of_an_import():
    names = [f"{letter * 20}" for letter in "abcde"]

    text = imported("import os\n\nx()\nfrom a import b  # noqa: E402\n", *map(need, names))

    assert text.startswith(
        "import os\n\nx()\nfrom a import b  # noqa: E402\nfrom library import (  # noqa: E402\n"
    )


def test_lines_of_several_sections():
    edits = [
        need("a"),
        need(None, "os"),
        need("b", "shop.models"),
        need("annotations", "__future__"),
    ]
    assert imported("", *edits) == (
        "from __future__ import annotations\n\nimport os\n\nfrom library import a\n\n"
        "from shop.models import b\n"
    )


def test_a_use_in_a_decorator_stands_below_the_import_above_it():
    text = "from library import other\n@use(1)\ndef f(): pass\n"

    assert imported(text, need("use")) == text.replace("other", "other, use")


def test_an_import_stands_above_the_first_use():
    text = "import a\n\nname = 1\n".replace("name = 1", "print(name)\nfrom library import name")
    found = imported(text, need("name"))
    assert found.index("from library import name") < found.index("print(name)")


def test_an_import_only_for_typing():
    assert imported("import os\n\nx = 1\n", need("A", typing=True)) == (
        "import os\nfrom typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from library import A\n\nx = 1\n"
    )


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("    from library import B\n", "    from library import A, B\n"),
        ("    from z import B\n", "    from library import A\n    from z import B\n"),
        ("\n    import z\n    x = 1\n", "\n    import z\n    from library import A\n    x = 1\n"),
    ],
)
def test_an_existing_typing_block_is_used(block, expected):
    head = "import typing\nif typing.TYPE_CHECKING:\n"
    assert imported(head + block, need("A", typing=True)) == head + expected


def test_an_import_at_run_time_replaces_the_one_for_typing():
    block = "if TYPE_CHECKING:\n    from library import A, B\n"
    text = f"from typing import TYPE_CHECKING\n\n{block}\nA\nB\n"
    found = imported(text, need("A"))
    assert found.startswith("from typing import TYPE_CHECKING\n\nfrom library import A\n\nif TYPE")
    assert "    from library import B\n" in found


def test_a_typing_block_that_would_be_empty_goes():
    text = "import os\n\nif TYPE_CHECKING:\n    from library import A\n\nA\n"
    assert imported(text, need("A")) == "import os\n\nfrom library import A\n\nA\n"


def test_a_name_at_run_time_serves_typing_too():
    text = "from library import A\n"
    assert imported(text, need("A", typing=True)) == text


# ------------------------------------------------------------------------------ names in the way
@pytest.mark.parametrize(
    "text",
    [
        "name = 1\n",
        "from other import name\n",
        "def name(): 0\n",
        "class name: 0\n",
        "for name in x: 0\n",
        "import other.module as name\n",
        "with x as name: 0\n",
        "try: 0\nexcept E as name: 0\n",
        "match x:\n    case {**name}: 0\n",
        "match x:\n    case [*name]: 0\n",
        "def f():\n    global name\n    name = 1\n",
        "x = [(name := 1) for y in z]\n",
        "try:\n    from library import name\nexcept ImportError:\n    name = None\n",
        "if x:\n    import name\n",
    ],
)
def test_a_name_that_means_something_else_is_refused(text):
    message, guilty = refused(text, change(need("name"), id="guilty"))
    assert message == "the name name already means something else in this file"
    assert guilty == ["guilty"]


def test_names_beyond_ascii_are_found_too():
    message, _ = refused("übung = 1\n", change(need("übung")))
    assert message == "the name übung already means something else in this file"
    assert imported("xübung = übungx = 1\n", need("übung")).startswith("from library import übung")


@pytest.mark.parametrize(
    "text",
    [
        "def f(g): return old(1)\n",
        "def f():\n    g = 1\n    return old(1)\n",
        "def f():\n    return old(1)\n    from library import g\n",
        "def f():\n    from elsewhere import g\n    return old(1)\n",
        "class A:\n    g = 1\n    x = old(1)\n",
        "x = [old(1) for g in y]\n",
        "x = lambda g: old(1)\n",
        "def f():\n    for g in x:\n        yield lambda: old(1)\n",
    ],
)
def test_a_local_name_in_the_way_is_refused(text):
    edits = change(node_edit(text, "old(1)", "rename", "g"), need("g"), id="guilty")
    message, guilty = refused(text, edits)
    assert message == "the name g means something else where the new code needs it"
    assert guilty == ["guilty"]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    g = 1\n\ndef h():\n    return old(1)\n",
        "class A:\n    g = 1\n    def f(self): return old(1)\n",
        "x = [g for g in old(1)]\n",
        "def f():\n    from library import g\n    return old(1)\n",
        "def f():\n    global g\n    return old(1)\n",
    ],
)
def test_a_local_name_elsewhere_does_not_matter(text):
    found = imported(text, node_edit(text, "old(1)", "rename", "g"), need("g"))
    assert "g(1)" in found
    assert "from library import g\n" in found


@pytest.mark.parametrize(
    "text",
    ["", "x", "# only a comment", "'doc'; x\n", "import a; x = 1\n", "\f\nimport z\n", "\n\n\nx\n"],
)
def test_odd_files_get_a_file_that_binds_the_name(text):
    found = imported(text, need("name"), need(None, "os"), need("T", typing=True))
    imports = [node for node in ast.walk(ast.parse(found)) if hasattr(node, "names")]
    names = {alias.name for node in imports for alias in node.names}
    assert {"name", "os", "T", "TYPE_CHECKING"} <= names
    assert "\n\n\n\n" not in found.removesuffix(text)
    assert [line for line in text.split("\n") if line not in found.split("\n")] == []


def test_an_import_that_would_stand_below_the_use_is_refused():
    text = "'doc'; f(1)\n"
    edits = change(node_edit(text, "f(1)", "rename", "name"), need("name"), id="guilty")
    message, guilty = refused(text, edits)
    assert message == "no line above the first use of name can import it"
    assert guilty == ["guilty"]


def test_nothing_to_do_leaves_no_trace():
    result = run("from library import name\nname\n", change(need("name"), release("name")))
    assert dict(result.maps) == {}
    assert PATH in result.snapshot
