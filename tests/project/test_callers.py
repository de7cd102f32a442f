"""Who calls a function of a program, and which files are searched for that."""

from __future__ import annotations

from textwrap import dedent

import pytest
from asked_callers import callers, function_of, of, shown
from programs import module_of, program


def test_callers_do_not_depend_on_how_many_trees_are_kept(monkeypatch):
    files = _registered_and_called()
    for dotted in ("_load", "Shop._unlock", "Shop.open"):
        expected = callers(files, "shop.py", dotted)
        for kept in (1, 300, 10_000_000):
            monkeypatch.setattr(
                "awaken.project.source.programs.module_store.KEPT_SOURCE_BYTES", kept
            )
            assert callers(files, "shop.py", dotted) == expected
        monkeypatch.undo()
    assert "value" in callers(files, "shop.py", "_load")[1]


def test_a_function_is_known_by_its_place_in_whichever_tree_it_is_asked_for():
    files = _registered_and_called()
    project, other = program(files), program(files)
    for dotted in ("_load", "Shop._unlock", "Shop.open"):
        found = project.calls.callers_of(
            module_of(other, "shop.py"), function_of(other, "shop.py", dotted)
        )
        assert shown(project, found) == callers(files, "shop.py", dotted)


def _registered_and_called():
    files = {
        "shop.py": """
            from registry import HANDLERS

            class Shop:
                def open(self): return self._unlock()
                def _unlock(self): return 1

            def _load(x): return x
            HANDLERS["load"] = _load
            _alias = _load
        """,
        "registry.py": "HANDLERS = {}",
        **{
            f"other_{number}.py": f"""
                from shop import Shop, _load
                def use_{number}(s: Shop): return _load(s._unlock())
            """
            for number in range(6)
        },
    }
    return {path: dedent(text) for path, text in files.items()}


FUNCTIONS = {
    "in its own file": ("def _f(s): ...\n_f(1)", {}, ["m: _f(1)"], []),
    "imported": ("def _f(s): ...", {"a": "from m import _f\n_f(2)"}, ["a: _f(2)"], []),
    "imported under another name": (
        "def _f(s): ...", {"a": "from m import _f as g\ng(2)"}, ["a: g(2)"], [],
    ),
    "through the module": ("def _f(s): ...", {"a": "import m\nm._f(2)"}, ["a: m._f(2)"], []),
    "through the module's other name": (
        "def _f(s): ...", {"a": "import m as k\nk._f(2)"}, ["a: k._f(2)"], [],
    ),
    "exported again under another name": (
        "def _f(s): ...",
        {"a": "from m import _f as g", "b": "from a import g\ng(3)", "c": "import a\na.g(4)"},
        ["b: g(3)", "c: a.g(4)"], [],
    ),
    "through a star import": (
        "def f_(s): ...", {"a": "from m import *\nf_(1)"}, ["a: f_(1)"], ["outside"],
    ),
    "assigned to another name": (
        "def _f(s): ...\ng = _f", {"a": "from m import g\ng(5)"}, ["a: g(5)"], [],
    ),
    "assigned to a name with two values": (
        "def _f(s): ...\ng = _f\ng = print\ng(1)", {}, ["m: g(1)"], ["value"],
    ),
    "assigned to a variable of a function": (
        "def _f(s): ...\ndef g():\n    k = _f\n    def h(): return k(1)\n    k = k",
        {"a": "from outside import *\nk(2)"},
        ["m: k(1)"], [],
    ),
    "assigned to the only variable of a function": (
        "def _f(s): ...\ndef g():\n    k = _f\n    j = k\n    def h(): return j(1)\n    k(2)",
        {"a": "from outside import *\nk(3)\nj(4)"},
        ["m: j(1)", "m: k(2)"], [],
    ),
    "read off for something else": (
        "def _f(s): ...\n_f.later = print\n_f.later(1)\n_f.__get__(2)", {}, [], ["value"],
    ),
    "imported inside a function": (
        "def _f(s): ...", {"a": "def run():\n    from m import _f\n    _f(1)"}, ["a: _f(1)"], [],
    ),
    "another function of that name": (
        "def _f(s): ...\n_f(1)", {"a": "def _f(): ...\n_f(9)"}, ["m: _f(1)"], [],
    ),
    "hidden by a parameter": ("def _f(s): ...\ndef g(_f): _f(1)", {}, [], []),
    "an attribute of that name on an object": (
        "def _f(s): ...\n_f(1)", {"a": "def g(x): x._f(1)"}, ["m: _f(1)"], [],
    ),
    "an attribute while the module is handed around": (
        "def _f(s): ...\n_f(1)",
        {"a": "import m\ndef g(x): x._f(1)\ng(m)"},
        ["m: _f(1)"], ["unresolved"],
    ),
    "one of two modules": (
        "def _f(s): ...",
        {
            "a": "try:\n    import m as k\nexcept ImportError:\n    import n as k\nk._f(1)",
            "n": "def _f(s): ...",
        },
        ["a: k._f(1)"], [],
    ),
    "passed on as a value": ("def _f(s): ...\nmap(_f, [])", {}, [], ["value"]),
    "kept in a dictionary": ("def _f(s): ...\nD = {'x': _f}", {}, [], ["value"]),
    "given to partial": (
        "from functools import partial\ndef _f(s): ...\npartial(_f, 1)()", {}, [], ["value"],
    ),
    "given to Depends": (
        "from fastapi import Depends\ndef _f(s): ...\ndef g(x=Depends(_f)): ...",
        {}, [], ["framework"],
    ),
    "decorated by a route": (
        "app = make()\n@app.get('/')\ndef _f(s): ...", {}, [], ["framework"],
    ),
    "decorated by what changes nothing": (
        "from contextlib import contextmanager\n@contextmanager\ndef _f(s): yield\n_f(1)",
        {}, ["m: _f(1)"], [],
    ),
    "a decorator itself": ("def _f(s): ...\n@_f\ndef g(): ...", {}, [], ["value"]),
    "a decorator with arguments": (
        "def _f(s): ...\n@_f(1)\ndef g(): ...", {}, ["m: _f(1)"], ["value"],
    ),
    "named in __all__": ("__all__ = ['_f']\ndef _f(s): ...", {}, [], ["named"]),
    "named by its path in a text": (
        "def _f(s): ...", {"a": "TASKS = ['m._f', 'm:_f']"}, [], ["named", "named"],
    ),
    "replaced by a test": (
        "def _f(s): ...\n_f(1)",
        {"test_m": "from unittest.mock import patch\nwith patch('m._f'): ..."},
        ["m: _f(1)"], [],
    ),
    "in a docstring": ('"""_f"""\ndef _f(s): ...\n_f(1)', {}, ["m: _f(1)"], []),
    "found in globals": (
        "def _f(s): ...\ndef g(n): globals()['_' + n](1)", {}, [], ["dynamic"],
    ),
    "compared only": ("def _f(s): ...\nif x is _f: ...", {}, [], []),
    "its cache is cleared": (
        "from functools import cache\n@cache\ndef _f(s): ...\n_f.cache_clear()", {}, [], [],
    ),
    "an attribute that may call it": ("def _f(s): ...\n_f.delay(1)", {}, [], ["value"]),
    "calls itself": (
        "def _f(s):\n    _f(s)\n_f(1)", {}, ["m: _f(s)", "m: _f(1)"], [],
    ),
    "returned": ("def _f(s): ...\ndef g(): return _f", {}, [], ["value"]),
    "a file that does not parse": (
        "def _f(s): ...\n_f(1)", {"a": "from m import _f\n_f(("}, ["m: _f(1)"], ["unresolved"],
    ),
    "called below a conditional definition": (
        "if x:\n    def _f(s): ...\nelse:\n    def _f(s): ...\n_f(1)", {}, ["m: _f(1)"], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "files", "sites", "kinds"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(text, files, sites, kinds):
    name = "f_" if "def f_" in text else "_f"
    assert of(text, name, **files) == (sites, kinds)


OWNER = """
class _Store:
    def _f(self, s): ...
    @classmethod
    def _c(cls, s): ...
    @staticmethod
    def _s(s): ...
"""
METHODS = {
    "on self": (OWNER + "    def g(self): self._f(1)", "_f", {}, ["m: self._f(1)"], []),
    "on self in a subclass": (
        OWNER, "_f",
        {"a": "from m import _Store\nclass B(_Store):\n    def g(self): self._f(1)"},
        ["a: self._f(1)"], [],
    ),
    "overridden in a subclass": (
        OWNER, "_f",
        {
            "a": "from m import _Store\nclass B(_Store):\n    def _f(self, s): ...\n"
            "    def g(self): self._f(1)"
        },
        [], [],
    ),
    "by super": (
        OWNER, "_f",
        {"a": "from m import _Store\nclass B(_Store):\n    def _f(self, s): super()._f(s)"},
        ["a: super()._f(s)"], [],
    ),
    "on an instance": (OWNER, "_f", {"a": "from m import _Store\n_Store()._f(1)"},
                       ["a: _Store()._f(1)"], []),
    "on the class": (OWNER, "_f", {"a": "from m import _Store\n_Store._f(x, 1)"},
                     ["a: _Store._f(x, 1)"], []),
    "on an annotated parameter": (
        OWNER, "_f", {"a": "from m import _Store\ndef g(x: _Store): x._f(1)"}, ["a: x._f(1)"], [],
    ),
    "on a parameter without annotation": (
        OWNER, "_f", {"a": "def g(x): x._f(1)"}, [], ["unresolved"],
    ),
    "with arguments that it cannot take": (
        OWNER, "_f", {"a": "def g(x): return x._f(), x._f(1, 2, 3), x._f(t=1), x._f(1, s=2, t=3)"},
        [], [],
    ),
    "with arguments that are unpacked": (
        OWNER, "_f", {"a": "def g(x, *y): x._f(*y)"}, [], ["unresolved"],
    ),
    "on an instance or the class, by keyword": (
        OWNER, "_f", {"a": "def g(x, y): return x._f(s=1), x._f(y, s=1)"},
        [], ["unresolved", "unresolved"],
    ),
    "a classmethod with arguments that it cannot take": (
        OWNER, "_c", {"a": "def g(x): return x._c(1, 2), x._c()"}, [], [],
    ),
    "a staticmethod with arguments that it cannot take": (
        OWNER, "_s", {"a": "def g(x): return x._s(1, 2), x._s()"}, [], [],
    ),
    "decorated, with arguments that it cannot take": (
        (
            "def _filled(f): return lambda *args: f(*args, 1)\n"
            "class _Store:\n    @_filled\n    def _f(self, s): ..."
        ),
        "_f", {"a": "def g(x): x._f()"}, [], ["framework", "unresolved"],
    ),
    "on something of a library": (
        OWNER, "_f", {"a": "import os\nos.path._f(1)"}, [], [],
    ),
    "on an attribute of a variable of a library": (
        OWNER, "_f", {"a": "import flask\nflask.request.args._f(1)\nflask.g.x._f(1)"},
        [], ["unresolved"],
    ),
    "on another class": (
        OWNER, "_f", {"a": "class A:\n    def _f(self): ...\nA()._f()"}, [], [],
    ),
    "on a base that declares it": (
        (
            "class _Base:\n    def _f(self, s): ...\n    def g(self): self._f(1)\n"
            "class _Store(_Base):\n    def _f(self, s): ..."
        ),
        "_f", {}, ["m: self._f(1)"], [],
    ),
    "of a mixin on what it is mixed into": (
        OWNER, "_f",
        {
            "a": "from m import _Store\nclass Other:\n    def _f(self, s): ...\n"
            "class Both(_Store, Other): ...\ndef g(x: Other): x._f(1)"
        },
        ["a: x._f(1)"], [],
    ),
    "a classmethod on cls": (
        OWNER + "    @classmethod\n    def g(cls): cls._c(1)", "_c", {}, ["m: cls._c(1)"], [],
    ),
    "a staticmethod on self": (
        OWNER + "    def g(self): self._s(1)", "_s", {}, ["m: self._s(1)"], [],
    ),
    "handed on by self": (OWNER + "    def g(self): run(self._f)", "_f", {}, [], ["value"]),
    "named dynamically": (
        OWNER + "    def g(self, n): getattr(self, f'_{n}')(1)", "_f", {}, [], ["dynamic"],
    ),
    "named dynamically on another class": (
        OWNER + "    def g(self, n): getattr(str, f'_{n}')(1)",
        "_f",
        {},
        [],
        [],
    ),
    "an attribute read dynamically": (
        OWNER + "    def g(self, n): print(getattr(self, n))",
        "_f",
        {},
        [],
        [],
    ),
    "another name made dynamically": (
        OWNER + "    def g(self, n): getattr(self, f'visit_{n}')(1)", "_f", {}, [], [],
    ),
    "given another name in the class": (
        OWNER + "    other = _f\n    def g(self): self.other(1)", "_f", {},
        ["m: self.other(1)"], [],
    ),
    "of a class with a base of a library": (
        "from lib import Handler\nclass _Store(Handler):\n    def _f(self, s): ...\n",
        "_f", {}, [], ["inherited"],
    ),
    "called by Python itself": (
        "class _Store:\n    def __call__(self, s): ...", "__call__", {}, [], ["framework"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "name", "files", "sites", "kinds"), METHODS.values(), ids=METHODS)
def test_methods(text, name, files, sites, kinds):
    assert of(text, f"_Store.{name}", **files) == (sites, kinds)


MADE = "class _Store:\n    def __init__(self, s): ...\n"
CONSTRUCTORS = {
    "called": (MADE, {"a": "from m import _Store\n_Store(1)"}, ["a: _Store(1)"], []),
    "of a subclass without its own": (
        MADE, {"a": "from m import _Store\nclass B(_Store): ...\nB(1)"}, ["a: B(1)"], [],
    ),
    "by super in a subclass": (
        MADE,
        {
            "a": "from m import _Store\nclass B(_Store):\n    def __init__(self, s):\n"
            "        super().__init__(s)\nB(1)"
        },
        ["a: super().__init__(s)"], [],
    ),
    "its own super is another one": (
        "class _B: ...\nclass _Store(_B):\n    def __init__(self, s): super().__init__()",
        {},
        [],
        [],
    ),
    "by the name of the base": (
        MADE,
        {
            "a": "from m import _Store\nclass B(_Store):\n    def __init__(self, s):\n"
            "        _Store.__init__(self, s)\nB(1)"
        },
        ["a: _Store.__init__(self, s)"], [],
    ),
    "by cls": (
        MADE + "    @classmethod\n    def make(cls): return cls(1)", {}, ["m: cls(1)"], [],
    ),
    "by its own type": (
        MADE + "    def copy(self): return type(self)(1)", {}, ["m: type(self)(1)"], [],
    ),
    "only in annotations and checks": (
        MADE,
        {"a": "from m import _Store\ndef g(x: _Store, y: 'list[_Store]'): isinstance(x, _Store)"},
        [], [],
    ),
    "as an annotation where a framework injects": (
        MADE,
        {"a": "from m import _Store\nfrom fastapi import Depends\ndef g(x: _Store = Depends()): x"},
        [], ["framework"],
    ),
    "kept in a registry": (MADE, {"a": "from m import _Store\nD = {'x': _Store}"}, [], ["value"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "files", "sites", "kinds"), CONSTRUCTORS.values(), ids=CONSTRUCTORS
)
def test_constructors(text, files, sites, kinds):
    assert of(text, "_Store.__init__", **files) == (sites, kinds)


def test_the_receiver_fills_the_first_parameter_unless_the_class_is_asked():
    files = {"m.py": dedent(OWNER), "a.py": "from m import _Store\n_Store()._f(1)\n_Store._f(x, 1)"}
    project = program(files)
    found = project.calls.callers_of(
        module_of(project, "m.py"), function_of(project, "m.py", "_Store._f")
    )
    assert [site.bound for site in found.sites] == [1, 0]


def test_a_local_function_is_searched_in_its_file_alone():
    text = """
        def make():
            def load(s): ...
            load(1)
        def other(load):
            load(2)
    """
    assert of(text, "make.<locals>.load", a="def g(x): x.load(3)") == (["m: load(1)"], [])


def test_only_files_that_hold_the_name_are_parsed():
    project = program(
        {
            "m.py": "def _load_all(s): ...",
            "a.py": "from m import _load_all\n_load_all(1)",
            "b.py": "import m\nm._load_all_of_them(1)",
        }
    )
    module = module_of(project, "m.py")
    asked: list[str] = []
    load = project.module
    project._evaluator.load = lambda path: asked.append(path) or load(path)
    project.calls.callers_of(module, function_of(project, "m.py", "_load_all"))
    # Its own file holds the name and has no mention of it.
    assert set(asked) == {"a.py"}


def test_a_function_is_found_however_many_files_hold_its_name():
    files = {f"a{number}.py": "def g(x): x._f(1)" for number in range(299)}
    sites, kinds = callers({"m.py": "def _f(s): ...\n_f(1)", **files}, "m.py", "_f")
    assert (sites, kinds) == (["m: _f(1)"], [])


def test_files_that_import_the_home_of_a_name_are_searched_up_to_a_size():
    files = {f"a{number}.py": "import m\ndef g(x): x._f(1)" for number in range(301)}
    sites, kinds = callers({"m.py": "def _f(s): ...\n_f(1)", **files}, "m.py", "_f")
    assert (sites, kinds) == ([], ["many"])


def test_a_public_function_is_searched_where_everything_imports_its_home():
    users = {f"p{one}.py": "import m\n" + ("m.f()\n" if one < 70 else "") for one in range(201)}

    sites, kinds = callers({"m.py": "def f(): ...", **users}, "m.py", "f")

    assert (len(sites), kinds) == (70, ["outside"])


def test_files_that_do_not_import_the_home_of_a_name_are_searched_up_to_a_size():
    """No call in them is known to be meant, but that none may be must be seen."""
    files = {f"a{number}.py": "class C:\n    def _f(self): self._f()" for number in range(301)}
    sites, kinds = callers(
        {"m.py": "class _S:\n    def _f(self): self._f()", **files}, "m.py", "_S._f"
    )
    assert (sites, kinds) == (["m: self._f()"], ["unresolved"])


SERVICE = """
    class _UserService:
        def delete(self, db, id=None): ...
    _user_service = _UserService()
"""


def test_a_call_in_sight_is_found_though_a_hundred_files_hold_its_name():
    """The receiver is known: it is the object of a module that the file imports."""
    files = {
        "service.py": SERVICE,
        "again.py": "from service import _user_service as users\ndef f(): users.delete(1)",
        "route.py": "import again\ndef show(db): again.users.delete(db=db, id=1)",
        **{f"other{number}.py": "def f(x): x.delete(1)" for number in range(150)},
    }
    project = program(files)
    function = function_of(project, "service.py", "_UserService.delete")
    found = project.calls.callers_of(module_of(project, "service.py"), function)

    sites, kinds = shown(project, found)
    assert sites == ["again: users.delete(1)", "route: again.users.delete(db=db, id=1)"]
    assert kinds == ["unresolved"]
    # One place out of sight says as much as all of them.
    assert [len(one.others) for one in found.obstacles] == [0]
