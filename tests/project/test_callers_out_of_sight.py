"""What may call a function out of sight, so that its callers are not all known."""

from __future__ import annotations

from textwrap import dedent

import pytest
from asked_callers import callers, function_of, of, shown
from programs import module_of, program


@pytest.mark.parametrize(
    ("path", "dotted", "public"),
    [
        ("app/m.py", "f", True),
        ("app/m.py", "_f", False),
        ("app/m.py", "C.f", True),
        ("app/m.py", "_C.f", False),
        ("app/m.py", "C.__init__", True),
        ("app/m.py", "g.<locals>.f", False),
        ("app/_m.py", "f", False),
        ("tests/helpers.py", "f", False),
        ("app/test_m.py", "f", False),
        ("app/2020-01-01_m.py", "f", False),
        ("app/__init__.py", "f", True),
    ],
)
def test_what_other_programs_may_call(path, dotted, public):
    text = """
        def f(s): ...
        def _f(s): ...
        class C:
            def __init__(self, s): ...
            def f(self, s): ...
        class _C:
            def f(self, s): ...
        def g():
            def f(s): ...
            f(1)
    """
    _, kinds = callers({path: dedent(text)}, path, dotted)
    assert ("outside" in kinds) is public


@pytest.mark.parametrize(
    ("line", "public"),
    [
        ("from app._m import f", True),
        ("from app._m import f as g", True),
        ("from ._m import f as _g", False),
        ("import app._m", False),
    ],
)
def test_a_package_may_export_what_is_in_a_private_module(line, public):
    files = {"app/__init__.py": line, "app/_m.py": "def f(s): ..."}
    _, kinds = callers(files, "app/_m.py", "f")
    assert ("outside" in kinds) is public


@pytest.mark.parametrize(
    ("decorator", "kinds"),
    [
        ("same", []), ("wrapped", []), ("marked(1)", []),
        ("kept", ["framework"]), ("called", ["framework"]), ("injects", ["framework"]),
        ("replaced", ["framework"]),
        ("tenacity.retry(stop=1)", []), ("atexit.register", ["framework"]),
    ],
)  # fmt: skip
def test_a_decorator_that_hands_the_function_through_hides_no_call(decorator, kinds):
    text = """
        import functools
        def same(f):
            setattr(f, "same", True)
            return f
        def wrapped(f):
            @functools.wraps(f)
            def wrapper(*args, **kwargs): return f(*args, **kwargs)
            return wrapper
        def marked(one):
            def decorator(f):
                f.one = one
                return f
            return decorator
        def kept(f):
            FUNCTIONS.append(f)
            return f
        def called(f):
            FUNCTIONS.append(f.__call__)
            return f
        def injects(f):
            def wrapper(*args): return f(1, *args)
            return wrapper
        def replaced(f): return None
    """
    files = {
        "d.py": text,
        "m.py": f"import atexit, tenacity\nfrom d import *\n@{decorator}\ndef _f(): ...\n_f()",
    }
    assert callers(files, "m.py", "_f") == (["m: _f()"], kinds)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("sqlite:///./test._f", []), ("./other._f", []), ("https://example.org/m/_f", []),
        ("data._f", []), ("m._f", ["named"]), ("pkg.m:_f", ["named"]), ("m:_f()", ["named"]),
        ("_f", ["named"]), ("tests/m.py::_f", ["named"]),
    ],
)  # fmt: skip
def test_a_text_names_a_function_only_as_something_of_a_module(text, kinds):
    assert of(f"def _f(): ...\nurl({text!r})") == ([], kinds)


@pytest.mark.parametrize(
    ("lines", "is_complete"),
    [
        ("", True),
        ("globals()['Box'](1)", False),
        ("import sys\nmade = vars(sys.modules[__name__])", False),
        ("class Other(Box): ...", False),
        ("@kept\nclass Late: ...", True),
    ],
)
def test_a_text_names_no_class_of_a_file_that_looks_for_none(lines, is_complete):
    home = f"class Box:\n    def __init__(self): ...\nBox()\nlog('Box')\n{lines}\n"
    project = program({"m.py": home}, published=False)
    module = module_of(project, "m.py")
    [node] = [one for one in module.walk() if getattr(one, "name", "") == "__init__"]
    assert project.calls.callers_of(module, node).complete is is_complete


def test_an_obstacle_says_why_and_where():
    project = program({"m.py": "def _f(s): ...", "a.py": "from m import _f\nrun(_f)"})
    found = project.calls.callers_of(module_of(project, "m.py"), function_of(project, "m.py", "_f"))
    [obstacle] = found.obstacles
    assert obstacle.why == "`_f` is passed on as a value"
    assert obstacle.place.path == "a.py"
    assert not found.complete


def test_other_files_may_name_it_too():
    project = program({"m.py": "def _f(s): ...\n_f(1)", "pyproject.toml": "run = 'm:_f'"})
    found = project.calls.callers_of(module_of(project, "m.py"), function_of(project, "m.py", "_f"))
    assert [one.why for one in found.obstacles] == ["pyproject.toml names `_f`"]


@pytest.mark.parametrize(
    ("name", "text", "is_named"),
    [
        ("pyproject.toml", "# `_f` stays\nx = 1 # _f\n", True),
        ("pyproject.toml", "# `_f` stays\n  # _f\nx = 1\n", False),
        ("setup.cfg", "[x]\n# _f\ny = 1\n", False),
        ("notes.md", "# _f\n", True),
    ],
)
def test_a_line_of_a_settings_file_that_is_a_comment_names_nothing(name, text, is_named):
    project = program({"m.py": "def _f(s): ...\n_f(1)", name: text})
    found = project.calls.callers_of(module_of(project, "m.py"), function_of(project, "m.py", "_f"))
    assert found.complete is not is_named


@pytest.mark.parametrize("published", [True, False])
def test_all_of_a_program_that_nobody_imports_calls_nothing(published):
    files = {"m.py": "def _f(s): ...\n_f(1)", "n.py": "from m import _f\n__all__ = ['_f']\n"}
    project = program(files, published=published)
    found = project.calls.callers_of(module_of(project, "m.py"), function_of(project, "m.py", "_f"))
    assert found.complete is not published


@pytest.mark.parametrize(("name", "kinds"), [("f", ["outside"]), ("_f", ["named"])])
def test_all_of_a_published_package_says_no_more_than_a_public_name(name, kinds):
    project = program({"m.py": f"__all__ = ['{name}']\ndef {name}(s): ...\n{name}(1)"})
    function = function_of(project, "m.py", name)
    callers = project.calls.callers_of(module_of(project, "m.py"), function)
    assert [obstacle.kind for obstacle in callers.obstacles] == kinds


@pytest.mark.parametrize(
    ("text", "is_complete"),
    [
        ("# Depends\ndef g() -> Box: ...", True),
        ("from fastapi import Depends\ndef g() -> Box: ...", True),
        ("# It is injected: Depends.\ndef g(box: Box): ...", True),
        ("from fastapi import Depends\ndef g(box: Box = Depends()): ...", False),
    ],
)
def test_a_class_is_made_for_parameters_alone_where_code_has_them_injected(text, is_complete):
    home = "class Box:\n    def __init__(self): ...\nBox()\n"
    project = program({"m.py": home, "n.py": f"from m import Box\n{text}\n"}, published=False)
    module = module_of(project, "m.py")
    [node] = [one for one in module.walk() if getattr(one, "name", "") == "__init__"]
    assert project.calls.callers_of(module, node).complete is is_complete


def test_templates_name_no_function():
    """They are there only beside a rule that reads them: no answer may depend on it."""
    files = {"m.py": "def _f(s): ...\n_f(1)", "templates/x.html": "{{ _f }}", "x.j2": "_f"}
    project = program(files)
    found = project.calls.callers_of(module_of(project, "m.py"), function_of(project, "m.py", "_f"))
    assert found.complete


def test_asking_twice_gives_the_same():
    project = program({"m.py": "def _f(s): ...\n_f(1)"})
    module, function = module_of(project, "m.py"), function_of(project, "m.py", "_f")
    assert project.calls.callers_of(module, function) is project.calls.callers_of(module, function)


def test_nobody_outside_calls_a_function_of_an_application():
    files = {
        "shop/__init__.py": "from shop.orders import place",
        "shop/orders.py": "def place(session): ...\nplace(1)\n",
        "shop/hooks.py": "from shop.orders import place\ndef register(add):\n    add(place)\n",
    }

    def kinds(*, published: bool) -> list[str]:
        project = program(files, published=published)
        module = module_of(project, "shop/orders.py")
        function = function_of(project, "shop/orders.py", "place")
        return shown(project, project.calls.callers_of(module, function))[1]

    assert kinds(published=True) == ["outside", "outside", "value"]
    # What else may call it is not excused.
    assert kinds(published=False) == ["value"]


@pytest.mark.parametrize(
    ("base", "method", "hidden"),
    [
        ("starlette.middleware.base.BaseHTTPMiddleware", "log", False),
        ("starlette.middleware.base.BaseHTTPMiddleware", "dispatch", True),
        ("threading.Thread", "log", False),
        ("threading.Thread", "run", True),
        ("cmd.Cmd", "log", True),
        ("cmd.Cmd", "do_log", True),
    ],
)
def test_a_base_out_of_sight_may_call_what_it_calls_by_name(base, method, hidden):
    home, _, name = base.rpartition(".")
    text = f"from {home} import {name}\nclass _Own({name}):\n    def {method}(self, db): ...\n"
    calls = f"    def other(self): self.{method}(1)\n"

    sites, obstacles = callers({"m.py": text + calls}, "m.py", f"_Own.{method}")

    assert sites == [f"m: self.{method}(1)"]
    assert ("inherited" in obstacles) is hidden


def test_a_base_out_of_sight_may_call_what_is_private():
    text = "from threading import Thread\nclass _Own(Thread):\n    def _stop(self): ...\n"

    _, obstacles = callers({"m.py": text}, "m.py", "_Own._stop")

    assert "inherited" in obstacles


NAMING = "from m import _f\n\ndef log(name): ...\nlog('_f')\n_f(1)\n"


@pytest.mark.parametrize(
    ("reading", "complete"),
    [
        ("import m\nm._f(2)\n", True),
        ("import m\ndef run(name): getattr(m, name)()\n", False),
        ("import importlib\ndef run(name): getattr(importlib.import_module('m'), name)()\n", False),
        ("import sys\ndef run(name): getattr(sys.modules['m'], name)()\n", False),
    ],
)
def test_a_bare_word_names_a_function_where_its_module_is_a_value(reading, complete):
    files = {"m.py": "def _f(s): ...", "n.py": NAMING, "o.py": reading}
    project = program(files, published=False)
    module = module_of(project, "m.py")
    found = project.calls.callers_of(module, function_of(project, "m.py", "_f"))
    assert found.complete is complete
