from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from programs import last, module_of, program

from awaken.project.values.domain import Unknown

METHODS = """
    class Base:
        def read(self): ...
        def _own(self): ...
        @classmethod
        def make(cls): ...
        @staticmethod
        def plain(): ...
    class Derived(Base):
        def _own(self): ...
"""


def called(text: str, call: str, **files: str) -> str:
    """Return the file and the function that the call reaches, with ``bound``, or why none."""
    others = {f"{path}.py": dedent(body) for path, body in files.items()}
    project = program({"m.py": dedent(text), **others})
    module = module_of(project, "m.py")
    node = last(module, call)
    assert isinstance(node, ast.Call)
    found = project.calls.function_called(module, node)
    if isinstance(found, Unknown):
        return found.why
    return f"{found.module.path}: {found.module.qualname(found.function)} {found.bound}"


@pytest.mark.parametrize(
    ("text", "call", "files", "expected"),
    [
        ("def f(s): ...\nf(1)", "f(1)", {}, "m.py: f 0"),
        ("from a import f\nf(1)", "f(1)", {"a": "def f(s): ..."}, "a.py: f 0"),
        ("import a\na.f(1)", "a.f(1)", {"a": "from b import f", "b": "def f(s): ..."}, "b.py: f 0"),
        ("async def f(s): ...\nf(1)", "f(1)", {}, "m.py: f 0"),
        (dedent(METHODS) + "Derived().read()", "Derived().read()", {}, "m.py: Base.read 1"),
        (dedent(METHODS) + "Base.read(1)", "Base.read(1)", {}, "m.py: Base.read 0"),
        (dedent(METHODS) + "Base.make()", "Base.make()", {}, "m.py: Base.make 1"),
        (dedent(METHODS) + "Base().make()", "Base().make()", {}, "m.py: Base.make 1"),
        (dedent(METHODS) + "Base().plain()", "Base().plain()", {}, "m.py: Base.plain 0"),
    ],
)
def test_the_function_that_a_call_reaches(text, call, files, expected):
    assert called(text, call, **files) == expected


@pytest.mark.parametrize(
    ("text", "call", "expected"),
    [
        (dedent(METHODS) + "Base()._own()", "Base()._own()", "`Derived` has a `_own` as well"),
        (dedent(METHODS) + "Derived()._own()", "Derived()._own()", "`Base` has a `_own` as well"),
        (
            """
from typing import Protocol
class P(Protocol):
    def f(self): ...
class A:
    def f(self): ...
def g(p: P): p.f()
""",
            "p.f()",
            "`A` has a `f` as well",
        ),
        (
            "if x:\n    def f(): ...\nelse:\n    def f(): ...\nf()",
            "f()",
            "`f` is not a visible function",
        ),
        ("import functools\n@functools.cache\ndef f(): ...\nf()", "f()", "`f` has a decorator"),
        ("f = lambda: 1\nf()", "f()", "`f` is not a visible function"),
        ("import json\njson.loads(1)", "json.loads(1)", "`json.loads` is not a visible function"),
        ("def g(f):\n    f()", "f()", "`f` has no annotation"),
        ("a = None\na.f()", "a.f()", "awaken sees no value of `a.f`"),
        ("class A: ...\nA()", "A()", "`A` is not a visible function"),
        (
            "class A:\n    def f(self): ...\n    def f(self, x): ...\nA().f()",
            "A().f()",
            "`A().f` is not a visible function",
        ),
    ],
)
def test_why_a_call_reaches_no_function(text, call, expected):
    assert expected in called(text, call)


ROUTES = """
from fastapi import FastAPI
class Application(FastAPI):
    def put(self, path): ...
app = Application()
@app.get("/")
def f(): ...
f()
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ROUTES, "m.py: f 0"),
        (ROUTES.replace("app.get", "app.put"), "`f` has a decorator"),
        (ROUTES.replace("app.get", "app.unknown"), "`f` has a decorator"),
        ("import pytest\n@pytest.mark.slow\ndef f(): ...\nf()", "m.py: f 0"),
        ("import tenacity\n@tenacity.retry\ndef f(): ...\nf()", "`f` has a decorator"),
        ("import contextlib\n@contextlib.contextmanager\ndef f(): ...\nf()", "`f` has a decorator"),
    ],
)
def test_a_decorator_of_a_library_that_gives_back_the_function_hides_nothing(text, expected):
    assert called(text, "f()") == expected
