"""The law of joins: where they say yes or no, the evaluator says the same."""

from __future__ import annotations

import ast
from itertools import islice

import pytest
from fixture_cases import CASES
from programs import module_of, program

from awaken.project import Project, Snapshot
from awaken.project.source.looked_at import LookedAt
from awaken.project.store.joins import Joins
from awaken.project.values.domain import Unknown
from awaken.workspace.sources import decode, is_python

MOST = 8
"""Calls of one function that are asked about in a case: what differs is the function."""


def contradictions(project, most):
    """Yield the calls of a program of which a join says what the evaluator denies."""
    joins, asked = Joins(project._names), dict[int, int]()
    for path in sorted(project.snapshot):
        module = project.module(path) if is_python(path) else None
        for node in module.walk() if module is not None else ():
            if not isinstance(node, ast.Call):
                continue
            function = joins.function(module, node.func)
            said = joins.gives_coroutine(module, node)
            if said is None or asked.get(id(function), 0) >= most:
                continue
            asked[id(function)] = asked.get(id(function), 0) + 1
            kind = project.effects.awaitable(module, node)
            if isinstance(kind, Unknown) or (kind == "coroutine") != said:
                yield path, module.excerpt(node), said, kind


@pytest.mark.parametrize("part", range(8))
@pytest.mark.sampled(4)
def test_no_join_contradicts_the_evaluator(part):
    wrong = []
    for identifier in islice(sorted(CASES), part, None, 8):
        files = CASES[identifier].before
        if not any(b"async def" in text or b"yield" in text for text in files.values()):
            continue
        sources = {path: decode(path, files[path]) for path in files if is_python(path)}
        project = Project(Snapshot(sources), None)
        wrong += [(identifier, *one) for one in contradictions(project, MOST)]
    assert wrong == []


@pytest.mark.parametrize(
    ("defined", "expected"),
    [
        ("async def f(): ...", True),
        ("@final\nasync def f(): ...", True),
        ("@deco\nasync def f(): ...", None),
        ("async def f(): yield 1", False),
        ("def f(): yield 1", False),
        ("async def f():\n    def g(): yield 1", True),
        ("def f(): return g()", None),
        ("async def f(): ...\nf = 1", None),
        ("async def f(): ...\nasync def f(): ...", None),
        ("if x:\n    async def f(): ...\nelse:\n    f = None", None),
        ("class f: ...", None),
        ("f = g", None),
        ("from lib import f", None),
        ("def h():\n    global f\n    f = 1\nasync def f(): ...", None),
    ],
)
def test_what_a_call_gives_is_told_from_facts_alone(defined, expected):
    project = program({"m.py": f"from typing import final\n{defined}", "a.py": "import m\nm.f()"})
    module = module_of(project, "a.py")
    call = next(node for node in module.walk() if isinstance(node, ast.Call))
    assert Joins(project._names).gives_coroutine(module, call) is expected


def test_a_join_parses_no_file_whose_facts_are_known():
    files = {"m.py": "async def f(): ...", "a.py": "import m\nm.f()"}
    sources = {path: decode(path, text.encode()) for path, text in files.items()}
    earlier = Project(Snapshot(sources), None)
    earlier._facts.functions("m.py")
    earlier._facts.table("m.py")
    project = Project(Snapshot(sources), None, looked_at=LookedAt(), store=earlier.store)
    module = module_of(project, "a.py")
    call = next(node for node in module.walk() if isinstance(node, ast.Call))
    assert project.effects.is_coroutine(module, call)
    assert project._modules.parsed == {"a.py"}
