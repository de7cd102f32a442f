"""Imports after edits: added where the file's style puts them, removed where nothing needs them."""

from __future__ import annotations

import ast

import msgspec
import pytest
from rewriting_helpers import PATH, after, change, need, node_edit, refused, release, run

from awaken.contract import Span, TextEdit
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


# ------------------------------------------------------------------------------------ releases
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("from library import name|", ""),
        ("from library import name|x|", "x|"),
        ("import os|from library import name||x|", "import os||x|"),
        ("import os||from library import name||x|", "import os||x|"),
        ("from library import name, b|", "from library import b|"),
        ("from library import a, name|", "from library import a|"),
        ("from library import a, name, b|", "from library import a, b|"),
        ("from library import (a, name,)|", "from library import (a,)|"),
        ("from library import (|    a,|    name,|)|", "from library import (|    a,|)|"),
        ("from library import (|    name,|    a|)|", "from library import (|    a|)|"),
        ("from library import (|    a,|    name|)|", "from library import (|    a,|)|"),
        (
            "from library import (|    # c|    name,|    a,|)|",
            "from library import (|    # c|    a,|)|",
        ),
        ("from library import a, \\|    name|", "from library import a|"),
        ("from library import (a,|                     name)|", "from library import (a)|"),
        ("from library import name as n|", ""),
        ("if TYPE_CHECKING:|    from library import name|x|", "x|"),
        (
            "if TYPE_CHECKING:|    import a|    from library import name|x|",
            "if TYPE_CHECKING:|    import a|x|",
        ),
        (
            "from typing import A, TYPE_CHECKING|if TYPE_CHECKING:|    from library import name|x|",
            "from typing import A|x|",
        ),
        ("import typing|if typing.TYPE_CHECKING:|    from library import name|x|", "x|"),
        (
            "import typing|if typing.TYPE_CHECKING:|    from library import name|typing.x|",
            "import typing|typing.x|",
        ),
        ("from library import name|headers['X-name-Y']|", "headers['X-name-Y']|"),
        (
            "def f():|    from library import a, name||    a|",
            "def f():|    from library import a||    a|",
        ),
        ("def f():|    from library import name||    x|name|", "def f():|    x|name|"),
        ("def f():|    import a|    from library import name as b|", "def f():|    import a|"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_released_import_goes(before, expected, newline):
    found = imported(before.replace("|", newline), release("name"))
    assert found == expected.replace("|", newline)


@pytest.mark.parametrize(
    "text",
    [
        "from library import name\nname.x\n",
        "from library import name\ndel name\n",
        "from library import name\n__all__ = ['name']\n",
        "from library import name\nx: 'list[name]' = 1\n",
        "from library import name\nx = []  # type: list[name]\n",
        "from library import name as name\n",
        "from library import name  # noqa: F401\n",
        "from library import (\n    name,  # kept\n    a,\n)\n",
        "from library import (  # c\n    name\n)\n",
        "from library import name; x\n",
        "x; from library import name\n",
        "from library import *\n",
        "from other import name\n",
        "try:\n    from library import name\nexcept E:\n    pass\n",
        "from library import name\nx(eval, 'a-name')\n",
        "def f():\n    from library import name\n",
        "def f():\n    from library import name\n    return lambda: name\n",
        "def f():\n    from library import name\n    x: 'name' = 1\n",
        "def f():\n    global name\n    from library import name\n",
        "def f():\n    try:\n        from library import name\n    except E:\n        pass\n",
        "if TYPE_CHECKING:\n    from library import name\nelse:\n    x\n",
    ],
)
def test_an_import_that_may_be_needed_stays(text):
    assert imported(text, release("name")) == text


@pytest.mark.parametrize(
    "other",
    [
        b"from shop import name\n",
        b"from .shop import (\n    x,\n    name,\n)\n",
        b"from app.shop import *\n",
        b"import shop\nshop.name()\n",
        b"def test(): patch('app.shop.name')\n",
    ],
)
def test_a_name_that_another_module_takes_stays(other):
    text = "from library import name\n"
    files = {"other.py": SourceFile("other.py", other)}
    assert imported(text, release("name"), files=files) == text


@pytest.mark.parametrize(
    ("other", "keeps"),
    [
        ('patch("shop.library_user.old")', False),
        ("from shop.library_user import old", False),
        ('patch("shop.library_user.old")\npatch("shop.library_user.old")', True),
    ],
)
def test_a_name_that_another_file_took_goes(other, keeps):
    path = "shop/library_user.py"
    text = "from library import old\nold(1)\n"
    start = other.index("old")
    edits = [
        msgspec.structs.replace(one, path=path)
        for one in (node_edit(text, "old(1)", "rename", "new"), need("new"), release("old"))
    ]
    taking = TextEdit(path=PATH, anchor=Span(start, start + 3), text="new", site="s")
    result = run(other, change(taking, *edits), files={path: SourceFile(path, text.encode())})
    assert result.problems == ()
    imported = "new, old" if keeps else "new"
    expected = f"from library import {imported}\nnew(1)\n"
    assert result.snapshot[path].text.decode() == expected


def test_a_package_keeps_what_it_exports():
    source = SourceFile("app/__init__.py", b"from library import name\n")
    edit = type(release("name"))(path="app/__init__.py", module="library", name="name", site="s")
    result = run("", change(edit), files={"app/__init__.py": source})
    assert "app/__init__.py" not in result.maps


def test_words_in_prose_do_not_keep_an_import():
    text = '"""About the name of things."""\nfrom library import name\n# the name\nx = "a name"\n'
    assert "import" not in imported(text, release("name"))


@pytest.mark.parametrize(
    ("code", "keeps"),
    [
        ('"""name"""', False),
        ('raise E("name", text="name")', False),
        ('x == "name" in ("name", "b")', False),
        ('f"{x}name"', False),
        ('x = "name"', True),
        ('raise E(cast("name", x))', True),
        ('cast("name", x) == 1', True),
        ("f\"{cast('name', x)}\"", True),
        ('__all__ = ["name"]', True),
    ],
)
def test_a_name_in_a_text_keeps_an_import_if_it_may_be_read(code, keeps):
    text = f"from library import name\n{code}\n"
    assert ("import" in imported(text, release("name"))) is keeps


def test_a_plain_import_is_released():
    assert imported("import library\nimport os\n", release(None)) == "import os\n"
    assert imported("import library.orm\nlibrary.x\n", release(None, "library.orm")) == (
        "import library.orm\nlibrary.x\n"
    )


def test_a_module_inside_a_package_is_released_by_its_whole_name():
    assert (
        imported("import library.orm\nimport os\n", release(None, "library.orm")) == "import os\n"
    )
    text = "import os, library.orm.x\n"
    assert imported(text, release(None, "library.orm.x")) == "import os\n"


def test_a_name_moves_within_one_import():
    text = "from library import old, zoo\nold(1); zoo\n"
    edits = [node_edit(text, "old(1)", "rename", "new"), need("new"), release("old")]
    assert imported(text, *edits) == "from library import new, zoo\nnew(1); zoo\n"


def test_the_last_name_of_an_import_is_replaced():
    text = "from library import old\nold(1)\n"
    edits = [node_edit(text, "old(1)", "rename", "new"), need("new"), release("old")]
    assert imported(text, *edits) == "from library import new\nnew(1)\n"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        # What is replaced stands first in the file, between others, and last.
        ("from lib.z import old||from .m import I", "from lib.a import name||from .m import I"),
        (
            "import os||from lib.z import old||from .m import I",
            "import os||from lib.a import name||from .m import I",
        ),
        (
            "from lib.a0 import old||from .m import I",
            "from lib.a import name||from .m import I",
        ),
        (
            "from lib.y import gone|from lib.z import old||from .m import I",
            "from lib.a import name||from .m import I",
        ),
        ("from lib.z import old|||def g(): ...", "from lib.a import name|||def g(): ..."),
        # A group that is not there any more takes its blank line with it.
        ("from os import old||from .m import I", "from lib.a import name||from .m import I"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_blank_lines_around_what_is_replaced_stay(before, expected, newline):
    text = f"{before}||f(1)|".replace("|", newline)
    gone = [release("gone", "lib.y"), *(release("old", one) for one in ("lib.z", "lib.a0", "os"))]
    edits = [node_edit(text, "f(1)", "rename", "name"), need("name", "lib.a"), *gone]
    assert imported(text, *edits) == f"{expected}||name(1)|".replace("|", newline)


def test_imports_that_go_together_leave_one_blank_line():
    text = "import os\n\nfrom lib.y import old\nfrom lib.z import gone\n\nfrom .m import I\nos(I)\n"
    edits = [release("old", "lib.y"), release("gone", "lib.z")]
    assert imported(text, *edits) == "import os\n\nfrom .m import I\nos(I)\n"


def test_a_needed_name_is_never_released():
    text = "from library import name\nf(1)\n"
    edits = change(node_edit(text, "f(1)", "rename", "name"), need("name"))
    assert after(text, change(release("name")), edits) == "from library import name\nname(1)\n"
    assert after(text, change(need("name")), change(release("name"))) == text


def test_the_import_stays_while_one_use_is_left():
    text = "from library import old\nold(1)\nold(2)\n"
    one = change(node_edit(text, "old(1)", "rename", "new"), release("old"), need("new"))
    assert after(text, one) == "from library import new, old\nnew(1)\nold(2)\n"


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
