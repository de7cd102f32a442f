"""Functions that are passed as values: who calls them, and in which kinds of calls."""

from __future__ import annotations

import pytest
from passed_functions import components, only
from programs import program

from awaken.project.graph.forwards.passed.slots import Depth

NAMED_AS_A_BUILTIN = """\
from __future__ import annotations


class Service:
    def list(self) -> list[int]:
        kept: list[int] = []
        return list(kept)

    def all(self, more: list[int] | None = None) -> list[list[int]]:
        return [more or []]
"""


def test_an_annotation_that_a_method_hides_hands_nothing_on():
    for end, count in (("", 0), ("\n    found = [list]\n", 1)):
        project = program({"app.py": NAMED_AS_A_BUILTIN + end})
        graph, handed = project.calls.graph(), project.calls.passed_functions()
        method = next(one for one in graph.functions() if one.qualname == "Service.list")

        assert len(handed.components_of(method)) == count


def test_lambdas_and_methods_of_lists_stand_beside_functions():
    text = """\
def run(call):
    call()


run(work)
run(lambda: other())
found = []
run(found.append)
"""
    project, found = only(text)

    module = project.module("app.py")
    shown = sorted(module.source.text[p.span.start : p.span.end] for p in found.lambdas)
    assert (shown, found.leaks) == ([b"found.append", b"lambda: other()"], {})


def test_direct_calls_of_a_function_are_no_part_of_it():
    text = """\
def run(call):
    call()


run(work)
work()
other()
"""

    _, found = only(text)

    assert [call.caller.qualname for call in found.calls.values()] == ["run"]


def test_who_waits_for_a_lambda_is_who_calls_it():
    text = """\
def run(call):
    call()


def start():
    run(lambda: work())
"""
    project, _ = components(text)
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    work = next(one for one in graph.functions() if one.qualname == "work")

    callers = [call.caller.qualname for call in handed.callers(work, graph.callers(work))]

    assert callers == ["run"]


def test_threads_and_what_takes_both_kinds_are_told():
    text = """\
import asyncio
from fastapi import Depends, FastAPI


app = FastAPI(on_startup=[work])
needed = Depends(work)


async def run():
    await asyncio.to_thread(work)
"""
    _, found = components(text)

    assert [(len(one.threads), len(one.absorbed), one.leaks) for one in found] == [
        (0, 1, {}),
        (0, 1, {}),
        (1, 0, {}),
    ]


def test_what_may_be_none_takes_both_kinds_where_it_is_something():
    text = """\
from fastapi import BackgroundTasks


def run(tasks: BackgroundTasks | None):
    if tasks:
        tasks.add_task(work)
"""
    _, found = only(text)
    assert (len(found.absorbed), found.leaks) == (1, {})


def test_a_method_of_the_program_itself_takes_no_other_kind():
    text = """\
from fastapi import BackgroundTasks


class Tasks(BackgroundTasks):
    def add_task(self, call):
        call()


def run(tasks: Tasks):
    tasks.add_task(work)
"""
    _, found = only(text)
    assert (len(found.absorbed), len(found.calls)) == (0, 1)


STAR = """\
from fastapi import FastAPI

from helpers import *

app = FastAPI()
app.dependency_overrides[depended] = {given}
"""
HELPERS = """\
def depended():
    return 1


def opened():
    return 2


named = opened
listed = [opened]
"""


@pytest.mark.parametrize("given", ["opened", "named", "listed[0]"])
def test_a_star_import_gives_what_is_passed_on(given):
    project = program({"app.py": STAR.format(given=given), "helpers.py": HELPERS})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    opened = next(one for one in graph.functions() if one.qualname == "opened")

    assert not any(component.leaks for component in handed.components_of(opened))


def test_what_is_made_a_manager_is_called_where_that_is_entered():
    text = """\
from contextlib import contextmanager


def opened():
    yield 1


entered = contextmanager(opened)
with entered() as one:
    print(one)
"""
    project = program({"app.py": text})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    opened = next(one for one in graph.functions() if one.qualname == "opened")
    (found,) = handed.components_of(opened)
    assert found.leaks == {}
    assert [one.name for one in found.calls.values()] == ["entered"]


def test_a_depth_is_the_same_only_with_the_same_key():
    depth = Depth(1, "a")

    assert depth == Depth(1, "a")
    assert depth != 1
    assert {1, Depth(1, "b"), Depth(2, "a")}.isdisjoint({depth})
    assert depth + 1 == Depth(2, "a")
    assert depth - 1 == 0
