"""What runs where a class is called: as Python runs it."""

from __future__ import annotations

import ast
import sys
from types import ModuleType
from unittest.mock import patch

import pytest
from programs import module_of, program

from awaken.project.effects.construction import Constructions

HEAD = """
import abc, collections, dataclasses, enum, typing
from dataclasses import dataclass
log = []
def said(name):
    return lambda *given, **named: log.append(name)
class Plain:
    def __init__(self, *given):
        log.append("Plain.__init__")
class Checked:
    def __post_init__(self):
        log.append("Checked.__post_init__")
@dataclass
class Row:
    a: int = 1
    def __post_init__(self):
        log.append("Row.__post_init__")
class Made:
    def __new__(cls, *given):
        log.append("Made.__new__")
        return super().__new__(cls)
class Setting:
    def __setattr__(self, name, value):
        log.append("Setting.__setattr__")
class Meta(type):
    def __call__(cls, *given):
        log.append("Meta.__call__")
"""
ALL = [
    "class A: pass",
    "class A(Plain): pass",
    "class A(Plain):\n    def __init__(self):\n        log.append('A.__init__')",
    "class A(Made): pass",
    "class A(Made, Plain): pass",
    "class A(Row):\n    __slots__ = ()",
    "class A(Exception): pass",
    "class A(abc.ABC): pass",
    "class A(metaclass=abc.ABCMeta):\n    def __init__(self):\n        log.append('A.__init__')",
    "class A(typing.NamedTuple):\n    a: int = 1",
    # A dataclass gives its own `__init__`, which calls no other but the `__post_init__` it has.
    "@dataclass\nclass A(Plain):\n    a: int = 1",
    "@dataclass\nclass A(Checked):\n    a: int = 1",
    "@dataclass(frozen=True)\nclass A(Checked):\n    a: int = 1",
    "@dataclass\nclass A(Row):\n    b: int = 2",
    "class A(Row):\n    def __init__(self):\n        log.append('A.__init__')",
    "@dataclass\nclass A(Checked):\n    def __init__(self):\n        log.append('A.__init__')",
    "@dataclass(init=False)\nclass A(Plain, Checked):\n    a: int = 1",
    "@dataclass\nclass A(Setting):\n    a: int = 1",
    # Python's order: of two bases the second comes before what both inherit.
    (
        "class Left(Plain): pass\nclass Right(Plain):\n    def __init__(self):\n"
        "        log.append('Right.__init__')\nclass A(Left, Right): pass"
    ),
    (
        "class Far(Plain): pass\nclass Near:\n    def __init__(self):\n"
        "        log.append('Near.__init__')\nclass A(Far, Near): pass"
    ),
]
MORE = [
    "class A(metaclass=Meta): pass",
    "class Below(metaclass=Meta): pass\nclass A(Below): pass",
    "class A:\n    __init__ = said('A.__init__')",
    "class A:\n    if log is not None:\n        def __init__(self):\n            log.append('A')",
    "def changing(a):\n    a.__init__ = said('A')\n    return a\n@changing\nclass A: pass",
    (
        "class Hooked:\n    def __init_subclass__(cls, key):\n        cls.__init__ = said('A')\n"
        "class A(Hooked, key=1): pass"
    ),
    "def base():\n    return Plain\nclass A(base()): pass",
]


def constructed(text: str):
    """Return what the program says of ``A()``, and what Python runs for it."""
    text = f"{HEAD}{text}\nx = A()\n"
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    running = ModuleType("m")
    with patch.dict(sys.modules, m=running):  # a dataclass looks for its module
        exec(compile(text, "m.py", "exec"), vars(running))
    (call,) = (node for node in module.nodes(ast.Call) if module.text_of(node) == "A()")
    return Constructions(project._evaluator).at_call(module, call), running.log


def shown(made) -> list[str]:
    """Return the methods with their classes, as the program logs them."""
    methods = [(item.module.parent(item.function), item.function) for item in made.runs]
    return [f"{owner.name}.{function.name}" for owner, function in methods]


@pytest.mark.parametrize("text", ALL)
def test_all_that_runs_is_known(text):
    made, log = constructed(text)

    assert made.is_all, made
    assert shown(made) == log


@pytest.mark.parametrize("text", MORE)
def test_more_runs_than_is_known(text):
    made, log = constructed(text)

    assert not made.is_all
    assert made.why
    assert shown(made) != log


@pytest.mark.parametrize("bases", ["collections.OrderedDict", "abc.ABC, dict"])
def test_a_library_may_run_more(bases):
    made, _ = constructed(f"class A({bases}): pass")

    assert not made.is_all
    assert not made.why


@pytest.mark.parametrize("text", ["A = dict", "def A(): pass", "A = said('A')"])
def test_no_class_of_the_program_is_called(text):
    assert constructed(text)[0] is None
