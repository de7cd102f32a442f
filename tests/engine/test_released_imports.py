"""Imports that a rewrite releases: they go where nothing else needs them."""

from __future__ import annotations

import msgspec
import pytest
from rewriting_helpers import PATH, after, change, need, node_edit, release, run

from awaken.contract import Span, TextEdit
from awaken.workspace.sources import SourceFile

# In the tables of this file, | is the end of a line.


def imported(text, *edits, **options):
    return after(text, change(*edits), **options)


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
