from __future__ import annotations

import pytest
from programs import last, module_of, program

from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.values.domain import Unknown

HEAD = """
from unittest.mock import MagicMock
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.ext.asyncio import AsyncSession
S = Session()
registry = scoped_session(sessionmaker())
aio = AsyncSession()
class Client: ...
"""
MIDDLEWARE = "from starlette.middleware import base\nclass M(base.BaseHTTPMiddleware):"


def verdict(text: str, **files: str) -> str:
    """Return the kind of the last ``s`` of ``m.py`` with ``?`` if it is only so in sight.

    ``none`` if it is proven to be something else, else why it is unknown.
    """
    others = {f"{path}.py": body for path, body in files.items()}
    project = program({"h.py": HEAD, "m.py": f"from h import *\n{text}", **others})
    module = module_of(project, "m.py")
    found = project.orm.session_of(module, last(module, "s"))
    if isinstance(found, SessionProof):
        return found.kind + ("?" if found.unless else "")
    return found.why if isinstance(found, Unknown) else "none"


SEEN = {
    "by position": ("_f(S)\ndef _f(s): s", "session"),
    "by keyword": ("_f(s=S)\ndef _f(s): s", "session"),
    "the second one": ("_f(1, S)\ndef _f(x, s): s", "session"),
    "keyword only": ("_f(1, s=S)\ndef _f(x, *, s): s", "session"),
    "after a receiver": ("class _A:\n def g(self): self._f(S)\n def _f(self, s): s", "session"),
    "by the class": ("class _A:\n def _f(self, s): s\n_A._f(x, S)", "session"),
    "to a classmethod": ("class _A:\n @classmethod\n def _f(cls, s): s\n_A._f(S)", "session"),
    "to a staticmethod": (
        "class _A:\n def g(self): self._f(S)\n @staticmethod\n def _f(s): s", "session",
    ),
    "to a constructor": (
        "class _A:\n def __init__(self, x, s):\n  self.s = s\n  s\n_A(1, S)", "session",
    ),
    "from a display that anybody may change": (
        'x = {"s": S}\n_f(**x)\ndef _f(s): s', "parameter `s` has no annotation",
    ),
    "from a display that is changed": (
        'def _g():\n x = {"s": S}\n x["s"] = 1\n _f(**x)\ndef _f(s): s',
        "parameter `s` has no annotation",
    ),
    "from keywords that are changed": (
        "_g(s=S)\ndef _g(**k):\n k.update(s=1)\n _f(**k)\ndef _f(s): s",
        "parameter `s` has no annotation",
    ),
    "chosen out of a table that goes elsewhere": (
        "def _g(n):\n t = {1: _f}\n t[n](S)\n register(t)\ndef _f(s): s", "session?",
    ),
    "out of a table that is printed": (
        "def _g(n):\n t = {1: _f}\n t[n](S)\n print(t)\ndef _f(s): s", "session",
    ),
    "out of a table of a file": (
        "def _g(n):\n f = _T[n]\n return f(S)\ndef _f(s): s\n_T = {int: _f}", "session",
    ),
    "out of a list of pairs": (
        "def _f(s): s\ndef _g():\n for name, f in [('a', _f)]:\n  log(name)\n  f(S)", "session",
    ),
    "out of a table that is filled": (
        "def _g(n):\n t = {}\n t[n] = _f\n t[n](S)\ndef _f(s): s", "session",
    ),
    "out of a list that is filled": (
        "def _g(n):\n t = []\n t.append(_f)\n for f in t: f(S)\ndef _f(s): s", "session",
    ),
    "out of a filled table that a call makes": (
        "def _g(n):\n t = made()\n t[n] = _f\n t[n](S)\ndef _f(s): s",
        "parameter `s` has no annotation",
    ),
    "out of a filled attribute": (
        "class _A:\n def g(self, n):\n  self.t[n] = _f\n  self.t[n](S)\ndef _f(s): s",
        "parameter `s` has no annotation",
    ),
    "with some arguments already": (
        "from functools import partial\ndef _f(x, s): s\n_T = [partial(_f, 1)]\n_T[0](S, S)",
        "parameter `s` has no annotation",
    ),
    "for each item": (
        "def _f(s): s\n_F = _f\nlist(map(_F, S, [S]))", "parameter `s` has no annotation",
    ),
    "among keywords of a caller": ("_g(s=S)\ndef _g(**k): _f(**k)\ndef _f(s): s", "session"),
    "from a display in a function": (
        'def _g():\n x = {"s": S}\n _f(**x)\ndef _f(s): s', "session",
    ),
    "chosen out of a table": (
        "def _g(n):\n t = {1: _f}\n c = t.get(n)\n if c is not None:\n  c(S)\ndef _f(s): s",
        "session",
    ),
    "to a class chosen out of a table": (
        "class _A:\n def __init__(self, s): s\ndef _g(n):\n t = {1: _A}\n t[n](s=S)", "session",
    ),
    "handed on": ("def _g(s): _f(s)\n_g(S)\ndef _f(s): s", "session"),
    "handed on by another name": ("def _g(x): _f(x)\n_g(S)\ndef _f(s): s", "session"),
    "recursive": ("_f(S)\ndef _f(s):\n _f(s)\n s", "session"),
    "recursive over two": ("_f(S)\ndef _g(s): _f(s)\ndef _f(s):\n _g(s)\n s", "session"),
    "recursive without a beginning": (
        "def _f(s):\n _f(s)\n s", "parameter `s` has no annotation",
    ),
    "from a with": ("with Session() as x: _f(x)\ndef _f(s): s", "session"),
    "a session or none": ("_f(S)\n_f(None)\ndef _f(s): s", "session"),
    "only none": ("_f(None)\ndef _f(s): s", "parameter `s` has no annotation"),
    "a default of none": ("_f(S)\n_f()\ndef _f(s=None): s", "session"),
    "a default that is a session": ("_f()\ndef _f(s=S): s", "session"),
    "a default that nobody relies on": ("_f(S)\ndef _f(s=Client()): s",
        "`s` may also be something else: an instance of `h.Client`"),
    "a registry": ("_f(registry)\ndef _f(s): s", "scoped"),
    "asynchronous": ("_f(aio)\ndef _f(s): s", "async"),
    "both": ("_f(S)\n_f(aio)\ndef _f(s): s", "`s` may be a Session or an AsyncSession"),
    "something else": ("_f(Client())\ndef _f(s): s", "none"),
    "a session or something else": (
        "_f(S)\n_f(Client())\ndef _f(s): s",
        "`s` may also be something else: an instance of `h.Client`",
    ),
    "a mock beside": ("_f(S)\n_f(MagicMock())\ndef _f(s): s",
                      "`s` may also be something else: a mock"),
    "only a mock": ("_f(MagicMock())\ndef _f(s): s", "parameter `s` has no annotation"),
    "unknown": ("_f(make())\ndef _f(s): s", "awaken sees no definition of `make`"),
    "nobody calls": ("def _f(s): s", "parameter `s` has no annotation"),
    "public": ("f(S)\ndef f(s): s", "session?"),
    "public, and something else": (
        "f(Client())\ndef f(s): s",
        "parameter `s` has no annotation, and code outside the project may call `f` as well",
    ),
    "public, nobody calls": ("def f(s): s", "parameter `s` has no annotation"),
    "public and proven by use": (
        "f(S)\nfrom models import User\ndef f(s):\n s.query(User)\n s", "session",
    ),
    "by a public one": ("def g(s): _f(s)\ng(S)\ndef _f(s): s", "session?"),
    "a callback too": ("_f(S)\nrun(_f)\ndef _f(s): s", "session?"),
    "unpacked": ("_f(*args)\n_f(S)\ndef _f(s): s", "session?"),
    "unpacked by name": ("_f(**args)\n_f(S)\ndef _f(s): s", "session?"),
    "unpacked, with a default": ("_f(*args)\n_f(S)\ndef _f(s=None): s", "session?"),
    "only a default, and nobody calls": (
        "def _f(s=S): s", "parameter `s` has no annotation",
    ),
    "unpacked behind it": ("_f(S, *args)\ndef _f(s, *rest): s", "session"),
    "a lambda": ("f = lambda s: s\nf(S)", "parameter `s` has no annotation"),
    "packed, by its place": ("_f(1, S)\ndef _f(*a):\n s = a[1]\n s", "session"),
    "packed, unpacked by length": (
        "_f(S)\n_f(1, Client())\ndef _f(*a):\n if len(a) == 1:\n  s, = a\n  s", "session",
    ),
    "packed behind a receiver and a parameter": (
        "class _A:\n def __init__(self, x, *a):\n  s = a[0]\n  s\n_A(1, S)", "session",
    ),
    "packed, and unpacked by one caller": (
        "_f(S)\n_f(*make())\ndef _f(*a):\n s = a[0]\n s",
        "awaken sees no definition of `make`",
    ),
    "packed, of a public function": (
        "f(S)\ndef f(*a):\n s = a[0]\n s", "the items of `a` are unknown",
    ),
    "packed by name": ("_f(x=S)\ndef _f(**k):\n s = k['x']\n s", "session"),
    "packed by name, or a default": (
        "_f(y=1)\ndef _f(**k):\n s = k.get('x', S)\n s", "session",
    ),
    "packed by name, taken out": ("_f(x=S)\ndef _f(**k):\n s = k.pop('x')\n s", "session"),
    "packed by name, and unpacked by one caller": (
        "_f(x=S)\n_f(**make())\ndef _f(**k):\n s = k['x']\n s",
        "the items of `k` are unknown",
    ),
    "packed by name, and added": (
        "_f(x=S)\ndef _f(**k):\n k['x'] = 1\n s = k['x']\n s",
        "the items of `k` are unknown",
    ),
    "in a list of no class": ("_f([S])\ndef _f(x: list):\n for s in x:\n  s", "session"),
    "in a dictionary of no class": (
        "_f({1: S})\ndef _f(x: dict):\n s = x[1]\n s", "session",
    ),
    "in a list of no class, and in another by one caller": (
        "_f([S])\n_f(make())\ndef _f(x: list):\n for s in x:\n  s",
        "awaken sees no definition of `make`",
    ),
    "in a list that a check found": (
        "def f(x):\n if isinstance(x, list):\n  s = x[0]\n  s", "parameter `x` has no annotation",
    ),
    "to a method that overrides one of a library": (
        f"{MIDDLEWARE}\n def dispatch(self, r, call_next):\n  s = r.headers\n  s", "none",
    ),
    "the packed ones": ("_f(S)\ndef _f(*s): s", "none"),
    "an instance only in sight": (
        "class H:\n def __init__(self): self.s = Session()\nf(H())\ndef f(h):\n s = h.s\n s",
        "parameter `h` has no annotation, and code outside the project may call `f` as well",
    ),
    "an instance": (
        "class H:\n def __init__(self): self.s = Session()\n_f(H())\ndef _f(h):\n s = h.s\n s",
        "session",
    ),
    "a factory": ("_f(sessionmaker())\ndef _f(m):\n with m() as s: s", "session"),
    "a registry in sight, called": ("f(registry)\ndef f(r):\n s = r()\n s", "session?"),
    "an attribute that a constructor sets": (
        "class _A:\n def __init__(self, s): self.x = s\n def g(self):\n  s = self.x\n  s\n_A(S)",
        "session",
    ),
}  # fmt: skip

MODELS = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base
class User(declarative_base()):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
"""


@pytest.mark.parametrize(("text", "expected"), SEEN.values(), ids=SEEN)
def test_what_callers_pass(text, expected):
    assert verdict(text, models=MODELS) == expected


def test_over_files():
    assert verdict("def _f(s): s", a="from h import S\nfrom m import _f\n_f(S)") == "session"
    tested = "from m import f\nfrom h import S\ndef test_f(): f(S)"
    assert verdict("def f(s): s", test_a=tested) == "session?"


@pytest.mark.parametrize("reading", ["t._T[n](S)", "from t import _T as U\nU[n](S)"])
def test_a_table_that_other_files_read(reading):
    text = f"import t\n{reading}\ndef _f(s): s"
    table = "from m import _f\n_T = {1: _f}"
    assert verdict(text, t=table) == "session"
    assert verdict(text, t=table, u="import t\nregister(t._T)") == "session?"
    # Other programs may read it.
    assert verdict(text.replace("_T", "T"), t=table.replace("_T", "T")) == "session?"


def test_the_order_of_questions_changes_nothing():
    text = """
        from h import S
        class _A:
            def __init__(self, s): self.s = s
            def g(self): self.s.query(1)
        class _B:
            def __init__(self, a): self.a = a
            def g(self): self.a._load(S)
        _B(_A(S))
    """
    for wanted in (["self.s", "self.a"], ["self.a", "self.s"]):
        project = program({"h.py": HEAD, "m.py": text})
        module = module_of(project, "m.py")
        found = {one: project.orm.session_of(module, last(module, one)) for one in wanted}
        assert isinstance(found["self.s"], SessionProof)
        assert found["self.a"] is None


def test_a_receiver_that_is_searched_is_forgotten_again():
    text = """
        from h import S
        class _A:
            def _load(self, s): s
        class _B:
            def __init__(self, a): self.a = a
            def g(self): self.a._load(S)
        _B(_A())
    """
    for wanted in (["s", "self.a"], ["self.a", "s"]):
        project = program({"h.py": HEAD, "m.py": text})
        module = module_of(project, "m.py")
        found = {one: project.orm.session_of(module, last(module, one)) for one in wanted}
        assert isinstance(found["s"], Unknown)
        assert found["self.a"] is None


def test_a_doubt_is_said_as_a_clause():
    project = program({"h.py": HEAD, "m.py": "from h import *\nf(S)\ndef f(s): s"})
    module = module_of(project, "m.py")
    found = project.orm.session_of(module, last(module, "s"))
    assert isinstance(found, SessionProof)
    assert found.unless == "code outside the project may call `f` as well"


def test_what_is_passed_to_a_parameter_is_told_as_expressions():
    project = program({"h.py": HEAD, "m.py": "def _f(a, s): s\n_f(1, 2)\n_f(s=3, a=4)"})
    module = module_of(project, "m.py")
    name = last(module, "s")
    [binding] = module.scopes.bindings_of(name)
    passed = project.calls.passed_to(module, binding)
    assert passed is not None
    assert [one.module.text_of(one.node) for one in passed.given] == ["2", "3"]
    assert not passed.doubts
