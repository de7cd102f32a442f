"""Comments move the places of an answer, and change no more of it."""

from __future__ import annotations

import pytest
from msgspec import structs

from awaken.contract import ChangeId, Finding, Level, Place, SiteId, Span
from awaken.engine.remembering.evidence import MovedFile
from awaken.engine.remembering.known_texts import moved_lines
from awaken.engine.remembering.moved_answers import moved_answer
from awaken.engine.report import (
    ChangeSummary,
    Diagnostic,
    EditedPlace,
    FileChange,
    Remembered,
)
from awaken.workspace.sources import decode

PATH = "app/shop.py"
BEFORE = """\
# The shop.

import models
from sqlalchemy.orm import Session

LIMITS = {
    "users": 10,
}


def plain(x):
    return x


def users(s: Session):
    # all of them
    return s.query(models.User).all()


def others(s: Session):
    query = s.query(models.Other)

    return list(query)


def double(x):
    return 2 * x


def last(x):
    return x + 1
"""
AFTER = BEFORE.replace("s.query(models.User).all()", "s.scalars(select(models.User)).all()")
AFTER = AFTER.replace("Session\n\nL", "Session\nfrom sqlalchemy import select\n\nL")


def source(text):
    return decode(PATH, text.encode())


def place(text, of="s.query(models.User).all()"):
    start = text.index(of)
    return Place(PATH, Span(start, start + len(of)))


def answer(text, after, **parts):
    """Return an answer about a safe site, a manual one, and a statement that is of both."""
    change = ChangeId("query-to-select:a")
    safe = Finding(
        site=SiteId("a"),
        rule="query-to-select",
        level=Level.SAFE,
        place=place(text),
        scope="users",
        message="it becomes `select()`",
        change=change,
        related=(place(text, "import models"),),
    )
    manual = structs.replace(
        safe, site=SiteId("b"), level=Level.MANUAL, place=place(text, "s.query(models.Other)")
    )
    made = ChangeSummary(
        id=change,
        rule="query-to-select",
        title="a query",
        level=Level.SAFE,
        sites=(SiteId("a"),),
        requires=(),
        paths=(PATH,),
    )
    return structs.replace(
        Remembered(b"", (), (), (), (), {}, (), 0, ()),
        findings=(safe, structs.replace(manual, change=None, related=())),
        changes=(made,),
        files=(FileChange(PATH, source(text), source(text).with_text(after.encode()), (safe,)),),
        sources={PATH: source(text)},
        edited=(EditedPlace(change, place(text)), EditedPlace(change, Place(PATH, Span(0, 0)))),
        **parts,
    )


def moved(text, **parts):
    lines = moved_lines(BEFORE.encode(), text.encode())
    assert lines is not None
    return moved_answer(answer(BEFORE, AFTER, **parts), {PATH: MovedFile(source(text), lines)})


def edited(old, new):
    assert BEFORE.count(old) == 1
    return BEFORE.replace(old, new), AFTER.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('    "users": 10,\n', '    # of each\n    "users": 10,  # no more\n'),
        ("def plain(x):\n", "def plain(x):\n\n    # nothing\n\n"),
        ("\n\ndef last", "\n# the last\n\n\ndef last"),
        ("def last(x):\n", "def last(x):  # line 7\n"),
    ],
)
def test_comments_elsewhere_move_all_places(old, new):
    text, after = edited(old, new)

    assert moved(text) == answer(text, after)


def test_a_line_of_a_diagnostic_moves():
    text, after = edited("\n\ndef plain", "\n# said\n\n\ndef plain")
    lines = [
        tuple(Diagnostic(PATH, line + by, "told") for line in (0, 12, 26) if line or not by)
        for by in (0, 2)
    ]
    assert BEFORE.splitlines()[11] == text.splitlines()[13] == "    return x"

    result = moved(text, diagnostics=lines[0])

    assert result == answer(text, after, diagnostics=(lines[0][0], *lines[1]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # all of them\n", "    # all of them, and why\n"),
        ("    return s.query", "    # why\n    return s.query"),
        ("    return s.query(models.User).all()", "    return s.query(models.User).all()  # all"),
        (".all()\n", ".all()\n    # and below\n"),
        ("\n    return list", "\n    # the function of a manual site\n    return list"),
        ("import models\n", "import models\n\n# ours\n"),
        ("# The shop.", "# coding: utf-8"),
        ("# The shop.\n", "#!/usr/bin/python\n# The shop.\n"),
        ("def plain(x):\n", "def plain(x):  # noqa\n"),
        ("def plain(x):\n", "def plain(x):  # fmt: skip\n"),
        ("def plain(x):\n", f"def plain(x):  # {'long ' * 20}\n"),
        ("def plain(x):\n", "def plain(x):  # awaken: ignore[query-to-select]\n"),
    ],
)
def test_comments_at_a_place_and_for_tools_ask_for_another_plan(old, new):
    assert moved(edited(old, new)[0]) is None


@pytest.mark.parametrize(
    "told",
    [
        Diagnostic("other.py", 1, f"as in {PATH}"),
        Diagnostic(PATH, 1, "it differs from line 12"),
        Diagnostic(PATH, 12, "told"),
    ],
)
def test_texts_that_name_the_file_or_its_lines_ask_for_another_plan(told):
    text, after = edited("    return x\n\n\ndef users", "    return x  # said\n\n\ndef users")

    assert moved(text) == answer(text, after)
    assert moved(text, diagnostics=(told,)) is None
