"""What containers hold, and what they give."""

from __future__ import annotations

from textwrap import indent

import pytest
from programs import last, module_of, program

START = """
import asyncio
from collections import defaultdict, deque
class A:
    async def run(self): return 1
class B:
    pass
"""


def said(body: str, name: str = "it", **files: str) -> str:
    """Return what the last ``name`` in a function with this body is."""
    text = f"{START}def f(n, unseen):\n{indent(body, '    ')}\n"
    return asked(text, name, **files)


def asked(text: str, name: str = "it", **files: str) -> str:
    others = {f"{path}.py": other for path, other in files.items()}
    module = module_of(project := program({"m.py": text, **others}), "m.py")
    return str(project.values.of(module, last(module, name)))


A, B = "an instance of `m.A`", "an instance of `m.B`"
INT, STR = "an instance of `builtins.int`", "an instance of `builtins.str`"

BUILT = [
    ("for it in [A(), B()]: it", f"{A} or {B}"),
    ("for it in (A(),): it", A),
    ("for it in {A()}: it", A),
    ("for it in {'a': A()}: it", STR),
    ("for it in {'a': A()}.values(): it", A),
    ("for _, it in {'a': A()}.items(): it", A),
    ("for it in {**{'a': A()}, 'b': B()}.values(): it", f"{B} or {A}"),
    ("for number, it in enumerate([A()]): it", A),
    ("for it, number in enumerate([A()]): it", INT),
    ("for _, (it, _) in enumerate(zip([A()], [B()])): it", A),
    ("for it in sorted([A()]): it", A),
    ("for it in reversed([A()]): it", A),
    ("for it in list({A()}): it", A),
    ("for it in [one for one in [A()]]: it", A),
    ("for it in (one for one in [A()]): it", A),
    ("for it in {1: one for one in [A()]}: it", INT),
    ("for it in [*[A()], B()]: it", f"{A} or {B}"),
    ("for it in 'text': it", STR),
    ("it = [A(), B()][n]\nit", f"{A} or {B}"),
    ("it = (A(), B())[1]\nit", B),
    ("it = (A(), B())[-2]\nit", A),
    ("it = (A(), B())[1:][0]\nit", B),
    ("it = {'a': A()}['a']\nit", A),
    ("it = {'a': A(), 'b': B()}['b']\nit", B),
    ("it = {'a': A(), 'b': B()}[n]\nit", f"{A} or {B}"),
    (
        "it = {'a': A(), 'b': B(), **unseen}['a']\nit",
        f"{A} or {B} or unknown: the content of `unseen` is unknown",
    ),
    ("it = {'a': B(), 'a': A()}['a']\nit", A),
    ("it = {'a': A(), 'b': B()}.get('a')\nit", f"{A} or None"),
    ("it = dict(a=A(), b=B())['a']\nit", A),
    ("it = ({'a': A(), 'b': 1} | {'b': 1, 'a': B()})['b']\nit", f"{A} or {INT} or {B}"),
    ("d = {'a': A(), 'b': B()}\nd['b'] = 1\nit = d['a']\nit", A),
    ("d = {'a': A(), 'b': B()}\nd['a'] = 1\nit = d['a']\nit", f"{A} or {INT}"),
    ("d = {'a': A(), 'b': B()}\nd[n] = 1\nit = d['a']\nit", f"{A} or {B} or {INT}"),
    ("d = {'a': A(), 'b': B()}\nd.update(a=1)\nit = d['a']\nit", f"{A} or {B} or {INT}"),
    ("d = {'a': [A()], 'b': []}\nd['b'].append(1)\nfor it in d['a']: it", f"{A} or {INT}"),
    ("def made(): return {'a': A(), 'b': B()}\nit = made()['a']\nit", A),
    ("it = {'a': A()}.get('a')\nit", f"{A} or None"),
    ("it = {'a': A()}.get('a', B())\nit", f"{A} or {B}"),
    ("it = {'a': A()}.pop('a')\nit", A),
    ("it, other = A(), B()\nit", A),
    ("(other, it), last = (A(), B()), 1\nit", B),
    ("first, *rest, it = A(), 1, 2, B()\nit", B),
    ("first, *rest = A(), B()\nfor it in rest: it", B),
    ("pair = (A(), B())\nfirst, it = pair\nit", B),
    ("[it for it, _ in [(A(), B())]]", A),
    ("it = 'a' + f'{n}'\nit", STR),
    ("it = n is None\nit", "an instance of `builtins.bool`"),
    ("it = 1 / 2\nit", "an instance of `builtins.float`"),
]

ADDED = [
    ("xs = []\nxs.append(A())\nfor it in xs: it", A),
    ("xs = []\nfor it in xs: it\nxs.extend([A()])", A),
    ("xs = [A()]\nxs += [B()]\nfor it in xs: it", f"{A} or {B}"),
    ("xs = {}\nxs['a'] = A()\nfor it in xs.values(): it", A),
    ("xs = {}\nxs.setdefault('a', []).append(A())\nfor it in xs['a']: it", A),
    ("xs = defaultdict(list)\nxs[1].append(A())\nfor it in xs[1]: it", A),
    ("xs = {}\nxs.update(a=A())\nit = xs['a']\nit", A),
    ("xs = set()\nxs.add(A())\nit = xs.pop()\nit", A),
    ("xs = deque()\nxs.appendleft(A())\nit = xs.popleft()\nit", A),
    ("xs = []\nys = xs\nys.append(A())\nfor it in xs: it", A),
    ("xs = [[]]\nfor x in xs:\n    x.append(A())\nit = xs[0][0]\nit", A),
    ("xs = []\ndef put():\n    xs.append(A())\nfor it in xs: it", A),
    ("xs = []\ng(xs)\nfor it in xs: it\ndef g(ys): ys.append(A())", A),
    ("xs = [A()]\nprint(len(xs), xs)\nfor it in xs: it", A),
]


@pytest.mark.parametrize(("body", "expected"), BUILT + ADDED)
def test_a_container_gives_what_was_put_in(body, expected):
    assert said(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "xs = [A()]\nunseen(xs)\nfor it in xs: it",
        "xs = [A()]\nunseen.kept = xs\nfor it in xs: it",
        "xs = [A()]\nunseen(xs.append)\nfor it in xs: it",
        "xs = [A()]\nyield xs\nfor it in xs: it",
        "xs = [A()]\nys = [xs]\nunseen(ys)\nfor it in xs: it",
        "xs = [A()]\nxs.extend(unseen)\nfor it in xs: it",
        "xs = [A()]\nxs[n:] = unseen\nfor it in xs: it",
        "xs = [[A()]]\nunseen(xs[0])\nfor it in xs[0]: it",
        "xs = [[A()]]\nfor x in xs:\n    unseen(x)\nfor it in xs[0]: it",
        "it = [A(), unseen][0]\nit",
        "it, other = unseen\nit",
        "for it in {**unseen}.values(): it",
    ],
)
def test_what_may_hold_more_is_unknown(body):
    assert "unknown" in said(body)


def test_an_attribute_holds_what_any_file_puts_in():
    own = "class Own:\n    def __init__(self):\n        self.kept = [A()]\n"
    read = "    def read(self):\n        for it in self.kept: it\n"
    text = f"{START}{own}{read}"

    assert asked(text) == A
    filled = "from m import Own, B\ndef fill(own: Own):\n    own.kept.append(B())\n"
    assert asked(text, other=filled) == f"{A} or {B}"
    assert "unknown" in asked(text, other="def fill(own, more):\n    own.kept.extend(more)\n")


def test_a_name_of_a_module_holds_what_any_file_puts_in():
    text = f"{START}KEPT = [A()]\nfor it in KEPT: it\n"

    assert asked(text) == A
    filled = "from m import KEPT, B\nKEPT.append(B())\n"
    assert asked(text, other=filled) == f"{A} or {B}"
    renamed = "from m import KEPT as kept\nkept.append(1)\n"
    assert "unknown" in asked(text, other=renamed)


PLACES = [
    ("it = A()\nit\nit = B()", A),
    ("it = A()\nit = B()\nit", B),
    ("if n:\n    it = A()\nelse:\n    it = B()\nit", f"{A} or {B}"),
    ("it = None\nwhile n:\n    it = it or A()\nit", f"None or {A}"),
    ("it = A()\ntry:\n    it = B()\nexcept ValueError:\n    pass\nit", f"{A} or {B}"),
    ("it = A()\ndel it\nit = B()\nit", B),
    ("it = A()\ndef g():\n    nonlocal it\n    it = B()\ng()\nit", f"{A} or {B}"),
    ("it = A()\ndef g(): return it\nit = B()\ndef h(): return it", f"{A} or {B}"),
    ("it = A() if n else None\nif it is None:\n    return\nit", A),
    ("it = A() if n else None\nif it:\n    it", A),
    ("it = A() if n else None\nif it is not None and n:\n    it", A),
    ("it = A() if n else None\nassert it is not None\nit", A),
    ("it = A() if n else None\nwhile it is not None:\n    it", A),
    ("it = A() if n else None\nif it is None:\n    it", "None"),
    ("it = A() if n else None\nif it is not None:\n    it = None\n    it", "None"),
    ("it = A() if n else B()\nif isinstance(it, A):\n    it", f"{A} or {B}"),
    ("it = 1 if n else 'text'\nif isinstance(it, str):\n    it", STR),
    ("it = A() if n else 'text'\nif not isinstance(it, str):\n    it", A),
    ("it = unseen\nif isinstance(it, (A, B)):\n    it", f"{A} or {B}"),
]


@pytest.mark.parametrize(("body", "expected"), PLACES)
def test_a_name_is_what_reaches_the_place(body, expected):
    found = said(body)

    assert set(found.split(" or ")) == set(expected.split(" or "))


@pytest.mark.parametrize(
    "body",
    [
        "it = A() if n else None\nwhile n:\n    if it is None:\n        break\n    it = g()\nit",
        "it = A()\ndef g():\n    nonlocal it\n    it = None\nif it:\n    g()\n    it",
        "it = A() if n else None\nif it is not None:\n    while n:\n        it\n        it = None",
        "it = A() if n else None\nif it or n:\n    it",
        "it = A() if n else None\ntry:\n    assert it\nexcept AssertionError:\n    it",
    ],
)
def test_a_check_that_need_not_hold_any_more_narrows_nothing(body):
    found = said(body)

    assert "None" in found or "unknown" in found


def test_a_rule_asks_whether_something_is_a_coroutine():
    text = f"{START}it = A().run()\nit\n"
    module = module_of(project := program({"m.py": text}), "m.py")

    found = project.values.of(module, last(module, "it"))

    assert found.is_coroutine
    assert found.is_awaitable
    assert found.instance_of == ()
    assert not project.values.of(module, last(module, "A")).is_coroutine


READ = [
    ("import enum\nclass E(enum.Enum):\n    A = 'a'\nit = E.A\nit\n", "an instance of `m.E`"),
    (
        "from sqlalchemy import Column\nclass M:\n    id = Column(int)\nit = M().id\nit\n",
        "unknown: `id` may be a descriptor, a `sqlalchemy.Column`",
    ),
    (
        "class D:\n    def __get__(self, *of): ...\nclass M:\n    d = D()\nit = M().d\nit\n",
        "unknown: `d` is a descriptor, a `m.D`",
    ),
    (
        "class M:\n    def f(self): raise NotImplementedError\nit = M().f()\nit\n",
        "unknown: `f` is left to those that override it",
    ),
    (
        "def f(it: dict):\n    it = it.get('a', 1)\n    it\n",
        "unknown: parameter `it` is annotated with no particular type",
    ),
    (
        "from pydantic import Field\nit = Field(default=1)\nit\n",
        "unknown: the return value of `pydantic.Field` is unknown",
    ),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_what_is_read_is_not_what_was_assigned(text, expected):
    assert expected in asked(text)


HELD = """
class A: ...
from typing import Any
"""
LEFT_OPEN = {
    "a parameter": "def f(d: dict[str, Any]):\n    it = d['a']\n    it\nf({'a': A()})\n",
    "one that may be None": (
        "def f(d: dict[str, Any] | None = None):\n    it = d['a']\n    it\nf({'a': A()})\n"
    ),
    "a list": "def f(d: list[Any]):\n    it = d[0]\n    it\nf([A()])\n",
    "a variable": "def f():\n    d: dict[str, Any] = {'a': A()}\n    it = d['a']\n    it\n",
    "what is put there": "def f():\n    d: dict = {}\n    d['a'] = A()\n    it = d['b']\n    it\n",
    "a result": (
        "def made(n) -> dict:\n    return {'a': A()}\ndef f(n):\n    it = made(n)['a']\n    it\n"
    ),
}


@pytest.mark.parametrize("text", LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_a_container_of_anything_holds_what_is_given_for_it(text):
    project = program({"m.py": HELD + text}, published=False)
    module = module_of(project, "m.py")
    assert str(project.values.of(module, last(module, "it"))) == A


def test_a_container_of_anything_may_hold_more():
    project = program(
        {
            "m.py": """
            from typing import Any
            from elsewhere import seen

            class A: ...

            def f(d: dict[str, Any], more: dict[str, Any]):
                it = d["a"]
                it

            def g(more):
                f({"a": A()}, more)
                f(more, more)

            g(seen())
            """
        },
        published=False,
    )
    module = module_of(project, "m.py")
    assert not project.values.of(module, last(module, "it")).is_known


LACKING = {
    "a number": ("1", True),
    "a date": ("datetime.now()", True),
    "an object of a class that has heirs": ("str(n)", False),
    "an object of a class that takes any name": ("SimpleNamespace()", False),
}


@pytest.mark.parametrize(("value", "raises"), LACKING.values(), ids=LACKING)
def test_what_lacks_an_attribute_is_not_what_is_read(value, raises):
    text = f"""
        from datetime import datetime
        from types import SimpleNamespace

        class Text(str):
            def get(self): return b""

        class A:
            def get(self): return 1

        def f(n):
            d = {value} if n else A()
            it = d.get()
            it
        """
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    values = project.values.of(module, last(module, "it"))
    assert values.is_known is raises
