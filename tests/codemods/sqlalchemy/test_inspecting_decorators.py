"""Decorators of the program that hand their function to one that names it, or measures it."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async
from test_wrappers import DATABASE, TAGS

DECORATOR = """\
import inspect
import time
from functools import wraps

measured = []


def name_of(given):
    home = inspect.getmodule(given)
    return f"{home.__name__}.{given.__qualname__}"


def label(text, given):
    return name_of(given) + text


def keeping(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        result = function(*args, **kwargs)
        measured.append((label("()", function), time.perf_counter() - start))
        return result

    return wrapper
"""


@pytest.mark.parametrize(
    "line", ["home = inspect.getmodule(given)", "x = given; home = inspect.getmodule(x)"]
)
def test_a_function_may_be_handed_to_one_that_looks_at_it(line):
    decorators = DECORATOR.replace("home = inspect.getmodule(given)", line)
    result = rewritten(database=DATABASE, decorators=decorators, tags=TAGS)

    written = result.files["decorators.py"].decode()
    assert "    async def wrapper(*args, **kwargs):\n" in written
    assert "        result = await function(*args, **kwargs)\n" in written
    assert 'label("()", function)' in written
    assert "await Tags().add(db, 1)" in result.files["tags.py"].decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("home = inspect.getmodule(given)", "home = given()"),
        ("home = inspect.getmodule(given)", "home = given.__call__()"),
        ("home = inspect.getmodule(given)", "home = inspect.getmodule(given); measured[0] = given"),
        ("home = inspect.getmodule(given)", "home = inspect.getmodule(given); x = given; x()"),
        ("home = inspect.getmodule(given)", "home = inspect.getmodule(given); call(given)"),
        ("return name_of(given) + text", "return name_of(text) + given()"),
        ("return name_of(given) + text", "return label(text, given)"),
        ('label("()", function)', 'label(*["()"], function)'),
        ('label("()", function)', 'label("()", given=function)'),
        ("def name_of", "@print\ndef name_of"),
        ("def name_of", "if measured:\n  def name_of(given):\n    given()\ndef name_of"),
    ],
)
def test_one_that_may_call_or_keep_it_stops_it(before, after):
    assert DECORATOR.count(before) == 1
    texts = {
        "database.py": DATABASE,
        "decorators.py": DECORATOR.replace(before, after),
        "tags.py": TAGS,
    }

    assert "decorated" in {reason_of(one) for one in session_to_async(texts).findings}
