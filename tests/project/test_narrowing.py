"""What ``isinstance`` has established of a variable, seen by the method that a call reaches."""

from __future__ import annotations

import ast
from textwrap import indent

import pytest
from programs import last, module_of, program

from awaken.project.values.domain import Unknown

PROGRAM = """
class Store:
    def read(self): ...

def use(store, find):
    store = find(store)
{body}
"""


def reached(body: str) -> str:
    """Return the method that ``store.read()`` reaches in a function with ``body``."""
    return method_reached(PROGRAM.replace("{body}", indent(body, "    ")), "store.read()")


def method_reached(text: str, call: str) -> str:
    """Return the method that a call of a program reaches."""
    module = module_of(project := program({"m.py": text}), "m.py")
    node = last(module, call)
    assert isinstance(node, ast.Call)
    found = project.calls.function_called(module, node)
    return "unknown" if isinstance(found, Unknown) else module.qualname(found.function)


@pytest.mark.parametrize(
    "body",
    [
        "if not isinstance(store, Store):\n    raise TypeError\nstore.read()",
        "if not isinstance(store, Store):\n    return None\nwith open('x'):\n    store.read()",
        "assert isinstance(store, Store), 'a store'\nstore.read()",
        "assert store and isinstance(store, Store)\nstore.read()",
        "if isinstance(store, Store):\n    store.read()",
        "if len('x') and isinstance(store, Store):\n    return store.read()",
    ],
)
def test_what_was_checked_is_known(body):
    assert reached(body) == "Store.read"


@pytest.mark.parametrize(
    "body",
    [
        "store.read()",
        "if not isinstance(store, Store):\n    print()\nstore.read()",
        "if not isinstance(store, Store):\n    raise TypeError\nstore = find()\nstore.read()",
        "if not isinstance(store, Store) and find():\n    raise TypeError\nstore.read()",
        "if isinstance(store, Store) or find():\n    store.read()",
        "if isinstance(store, Store):\n    pass\nelse:\n    store.read()",
        "store.read()\nassert isinstance(store, Store)",
        "def inner():\n    return store.read()\nassert isinstance(store, Store)",
        "isinstance = find()\nassert isinstance(store, Store)\nstore.read()",
        "if find():\n    assert isinstance(store, Store)\nstore.read()",
    ],
)
def test_what_was_not_checked_is_not_known(body):
    assert reached(body) == "unknown"


@pytest.mark.parametrize(
    ("head", "checked", "expected"),
    [
        ("def use(*args):", "args[1]", "Store.read"),
        ("def use(args: tuple):", "args[1]", "Store.read"),
        ("def use(*args):", "args[0]", "unknown"),
        ("def use(args: list):", "args[1]", "unknown"),
        ("def use(args):", "args[1]", "unknown"),
    ],
)
def test_a_check_of_an_item_lasts_where_the_items_cannot_change(head, checked, expected):
    body = f"if isinstance({checked}, Store):\n    shrink(args)\n    args[1].read()"
    text = f"class Store:\n    def read(self): ...\n\n{head}\n{indent(body, '    ')}"
    assert method_reached(text, "args[1].read()") == expected


OWNED = """
from starlette.exceptions import HTTPException

class Store:
    def read(self): ...

def use(error: HTTPException, find):
{body}
"""


def reached_behind(body: str) -> str:
    """Return the method that ``error.detail.read()`` reaches, of an attribute declared `Any`."""
    return method_reached(OWNED.replace("{body}", indent(body, "    ")), "error.detail.read()")


@pytest.mark.parametrize(
    "body",
    [
        "if isinstance(error.detail, Store):\n    error.detail.read()",
        "if isinstance(error.detail, Store):\n    x = str(error.detail.read() or find())",
        "if not isinstance(error.detail, Store):\n    raise TypeError\nerror.detail.read()",
        "for error in find():\n    if isinstance(error.detail, Store): error.detail.read()",
    ],
)
def test_an_attribute_is_known_right_after_its_check(body):
    assert reached_behind(body) == "Store.read"


@pytest.mark.parametrize(
    "body",
    [
        "error.detail.read()",
        "if isinstance(error.detail, Store):\n    find()\n    error.detail.read()",
        "if isinstance(error.detail, Store):\n    print(find(), error.detail.read())",
        "if isinstance(error.detail, Store):\n    error.detail = 1\n    error.detail.read()",
        "if isinstance(error.detail, Store):\n    error = find\n    error.detail.read()",
        "if isinstance(error.args, Store):\n    error.detail.read()",
        "if isinstance(error.detail, Store):\n    [print(error.detail.read()) for _ in 'a']",
        "if isinstance(error.detail, Store):\n    while find(): error.detail.read()",
    ],
)
def test_other_code_may_change_an_attribute_after_its_check(body):
    assert reached_behind(body) != "Store.read"
