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


def item(text: str, *, published: bool = False, other: str = "") -> str:
    files = {"models.py": MODELS, "m.py": text, "other.py": other}
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


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("@beside\ndef f(a: int, note: Note): ...", "Note | User"),
        ("kept = beside", "?"),
        ("def beside(f): return f\n@beside\ndef f(a: int, note: Note): ...", "User"),
    ],
)
def test_a_decorator_with_another_name_decorates_as_well(use, expected):
    imports = "from m import around as beside\nfrom models import Note\n"

    assert item(TEXT + METHOD, other=imports + use) == expected


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


KEYWORD = TEXT.replace("args[1]", 'kwargs["user"]')


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ('kwargs["user"]', "User"),
        ('kwargs.get("user")', "None | User"),
        ('kwargs.get("user", None)', "None | User"),
        ('kwargs.get("user", 1)', "User | int"),
        ('kwargs["other"]', "?"),
        ('kwargs.pop("user")', "?"),
    ],
)
def test_a_packed_keyword_is_what_the_decorated_functions_have_by_its_name(taken, expected):
    assert item(TEXT.replace("args[1]", taken) + METHOD) == expected


def test_a_packed_keyword_is_what_any_decorated_function_has():
    others = "\n@around\ndef f(a, *, user: Note): ...\n"

    assert item(KEYWORD + METHOD + others) == "Note | User"
    assert item(KEYWORD + METHOD + "\n@around\ndef f(a): ...\n") == "?"
    assert item(KEYWORD + METHOD + "\n@around\ndef f(user: Note, /, **more): ...\n") == "?"
    assert item(KEYWORD + METHOD, published=True) == "?"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("function(*args, **kwargs)", "function(*args)"),
        ("function(*args, **kwargs)", "function(*args, user=1, **kwargs)"),
        ("function(*args, **kwargs)", "function(*args, **kwargs, **args)"),
        ("wrapper(*args, **kwargs)", "wrapper(*args, user=None, **kwargs)"),
        ("        x\n", "        x\n        kwargs['user'] = 1\n"),
        ("        x\n", "        x\n        kwargs.update(user=1)\n"),
        ("        x\n", "        x\n        del kwargs['user']\n"),
        ("        x\n", "        x\n        change(kwargs)\n"),
        ("        x\n", "        x\n        kwargs = {}\n"),
    ],
)
def test_a_packed_keyword_that_may_be_another_is_not_known(before, after):
    assert item((KEYWORD + METHOD).replace(before, after)) == "?"


def test_what_only_reads_the_packed_keywords_changes_nothing():
    reads = "        x\n        print('user' in kwargs, *kwargs.values(), kwargs.get('a'))\n"

    assert item((KEYWORD + METHOD).replace("        x\n", reads)) == "User"
