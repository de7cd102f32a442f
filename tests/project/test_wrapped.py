"""What the packed arguments of a wrapper are."""

import pytest
from described import described
from programs import MODELS, last, module_of, program

TEXT = """
from models import Note, User
def around(function):
    def wrapper(*args, **kwargs):
        x = args[1]
        x
        return function(*args, **kwargs)
    return wrapper
"""
METHOD = """
class Posts:
    @around
    def add(self, user: User): ...
"""


def item(text: str, *, published: bool = False) -> str:
    files = {"models.py": MODELS, "m.py": text}
    project = program(files, published=published)
    module = module_of(project, "m.py")
    found = described(project._evaluator.values(module, last(module, "x")))
    return " | ".join(sorted(found.split(" | "))) if "?" not in found else "?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (METHOD, "User"),
        (f"{METHOD}@around\ndef f(a: int, note: Note): ...", "Note | User"),
        (f"{METHOD}\nkept = around", "?"),
        (METHOD.replace("self, user: User", "self"), "?"),
        ("", "?"),
    ],
)
def test_an_item_is_what_the_decorated_functions_have_in_its_place(text, expected):
    assert item(TEXT + text) == expected


def test_others_may_decorate_what_they_define():
    assert item(TEXT + METHOD, published=True) == "?"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("function(*args, **kwargs)", "function(1, *args, **kwargs)"),
        ("function(*args, **kwargs)", "function(args, **kwargs)"),
        ("args[1]", "args[-1]"),
    ],
)
def test_an_item_that_is_not_handed_on_in_its_place_is_not_known(before, after):
    assert item((TEXT + METHOD).replace(before, after)) == "?"
