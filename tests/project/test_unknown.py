"""What cannot be told says why, in one clause, and where: in any shape that programs come in."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

from awaken.project.values.domain import Unknown

VALUES = {
    "an item": "it = box['session']",
    "an item of an item": "it = box[0][key]",
    "a slice": "it = box[1:][0]",
    "an item of a starred target": "first, *rest = box\nit = rest[0]",
    "an unpacked pair": "it, other = box",
    "an unpacked pair of a loop": "for it, other in box: pass",
    "something of nowhere": "it = nowhere",
    "an attribute of nowhere": "it = nowhere.session",
    "one of two": "it = nowhere if box else None",
    "the last of several": "it = None or nowhere",
    "a walrus": "(it := nowhere)",
    "what is awaited": "async def f():\n    it = await nowhere()\n    it",
    "what is sent": "def f():\n    it = yield\n    it",
    "what is yielded from": "def f():\n    it = yield from nowhere\n    it",
    "what depends on itself": "it = other\nother = it",
    "what is called on itself": "it = it.fresh()",
    "a pattern": "match box:\n    case {'session': it}:\n        it",
    "a rest of a pattern": "match box:\n    case [*it]:\n        it",
    "a key of it": "it = {'session': nowhere}['session']",
    "an augmented name": "it = nowhere\nit += 1\nit",
}
SCOPES = {
    "a name that is only deleted": "def f():\n    del it\n    it",
    "a global of a function": "def f():\n    global it\n    it = nowhere\nit",
    "a nonlocal": "def f():\n    it = nowhere\n    def g():\n        nonlocal it\n        it",
    "a comprehension": "[it for it in nowhere]",
    "a second generator": "[it for one in box for it in one]",
    "a lambda's parameter": "lambda it: it",
    "a class body": "class A:\n    it = nowhere\n    it",
    "a star import": "from helpers import *\nit",
    "an import out of the project": "from ..... import it\nit",
    "a file that does not parse": "from broken import it\nit",
    "a circle of imports": "from other import it\nit",
    "a name that no module has": "import helpers\nit = helpers.absent",
    "a conditional import": (
        "try:\n    from helpers import it\nexcept ImportError:\n    it = None\nit"
    ),
}
METHODS = {
    "an attribute that nobody sets": (
        "class A:\n    def f(self):\n        it = self.absent\n        it"
    ),
    "an attribute that a method sets": (
        "class A:\n    def g(self, x):\n        self.x = x\n    def f(self):\n        it = self.x\n"
    ),
    "a base out of sight": (
        "class A(nowhere.Base):\n    def f(self):\n        it = self.session\n        it"
    ),
    "a base that is itself": "class A(A):\n    def f(self):\n        it = self.session\n        it",
    "bases in a circle": (
        "class A(B):\n    def f(self):\n        it = self.session\n        it\nclass B(A): pass"
    ),
    "super": "class A(nowhere):\n    def f(self):\n        it = super().session\n        it",
    "a class that is defined twice": (
        "class A:\n    session = nowhere\nclass A:\n    session = None\nit = A.session"
    ),
    "a property that asks itself": (
        "class A:\n    @property\n    def session(self):\n        return self.session\n"
        "it = A().session"
    ),
    "a descriptor": "class A:\n    session = nowhere()\nit = A().session",
    "a mixin whose subclasses disagree": (
        "class M:\n    def f(self):\n        it = self.session\n        it\n"
        "class A(M):\n    session = nowhere\nclass B(M):\n    session = None"
    ),
    "an attribute that is looked up": "it = getattr(box, 'session')",
}
CALLS = {
    "a parameter": "def f(it):\n    it",
    "a parameter that nobody passes": "def _f(it):\n    it",
    "a parameter of a public function": "def f(it):\n    it\nf(nowhere)",
    "a parameter in a circle": "def _f(it):\n    _g(it)\n    it\ndef _g(x):\n    _f(x)",
    "an unpacked call": "def _f(it):\n    it\n_f(*box)",
    "an annotation out of sight": "def f(it: Nowhere):\n    it",
    "any": "from typing import Any\ndef f(it: Any):\n    it",
    "an annotation in a string": "def f(it: 'Nowhere[]'):\n    it",
    "one of many types": "def f(it: int | Nowhere):\n    it",
    "a function that calls itself": "def f():\n    return f()\nit = f()",
    "functions in a circle": "def f():\n    return g()\ndef g():\n    return f()\nit = f()",
    "a decorated function": "@nowhere\ndef f():\n    return None\nit = f()",
    "a call of a result": "it = nowhere()()",
    "a call of a parameter": "def f(make):\n    it = make()\n    it",
    "a partial": "from functools import partial\nit = partial(nowhere, 1)()",
    "a context": "with nowhere() as it:\n    it",
    "a context's parts": "with nowhere() as (it, other):\n    it",
    "a generator": "def f():\n    yield nowhere\nfor it in f():\n    it",
    "what is iterated": "for it in nowhere():\n    it",
    "a fixture that is a parameter": "def test_it(it):\n    it",
    "an injected value": "from fastapi import Depends\ndef f(it=Depends(nowhere)):\n    it",
    "too long a chain": "\n".join([*(f"x{n} = x{n + 1}" for n in range(99)), "it = x0"]),
}
BESIDE = {
    "helpers.py": "box = ()",
    "broken.py": "def :",
    "other.py": "from app import it",
}


@pytest.mark.parametrize(
    "source",
    [pytest.param(text, id=name) for name, text in (VALUES | SCOPES | METHODS | CALLS).items()],
)
def test_what_is_unknown_says_why_and_where(source):
    """``it`` is what is asked, where it stands last."""
    project = program({"app.py": f"box = nowhere\n{source}\n", **BESIDE})
    module = module_of(project, "app.py")

    found = project.orm.session_of(module, last(module, "it"))

    assert isinstance(found, Unknown), found
    assert found.why == found.why.strip()
    assert " " in found.why, "a clause"
    assert not found.why.endswith("."), "it becomes part of a sentence"
    assert "\n" not in found.why
    text = project.snapshot[found.place.path].text
    assert 0 <= found.place.span.start < found.place.span.end <= len(text)
