"""What a lambda is called with, as the function that takes it declares."""

from __future__ import annotations

import ast

import pytest
from planned import program_of

from awaken.project.values.domain import Unknown

TAKING = """\
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")


def run(work: Callable[[Session], T], *, more: list[Callable[[Session, int], Any]] | None = None):
    return work


def told(work: Callable[[Session], T] | Callable[[int], T]):
    return work


def open_(work: Callable[..., T], of: Callable[[T], T] | None = None):
    return work


"""


def known(text, name="db"):
    """Return what the first reads of a name of a lambda are known to be."""
    program = program_of({"shop.py": TAKING + text})
    module = program.module("shop.py")
    reads = [
        node
        for node in module.walk()
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    return program.values.of(module, reads[0]).alternatives


@pytest.mark.parametrize(
    "text",
    [
        "run(lambda db: db.flush())\n",
        "run(work=lambda db: db.flush())\n",
        "run(print, more=[lambda db, number: db.flush()])\n",
        "run(print, more=[print, lambda db, *, number: db.flush()])\n",
    ],
)
def test_a_lambda_is_called_with_what_is_declared(text):
    found = known(text)

    assert [one.kind for one in found] == ["session"]


@pytest.mark.parametrize(
    "text",
    [
        # Which of the two it is called with is not said, nor how often.
        "told(lambda db: db.flush())\n",
        "run(lambda db, other: db.flush())\n",
        "open_(lambda db: db.flush())\n",
        "open_(print, of=lambda db: db.flush())\n",
        "print(lambda db: db.flush())\n",
        "work = lambda db: db.flush()\n",
    ],
)
def test_what_is_not_declared_is_not_known(text):
    assert all(isinstance(one, Unknown) for one in known(text))


FIELDS = """\
from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    key: str
    load: Callable[[Session], list]


@dataclass(frozen=True)
class Small(Subject):
    size: int = 0


class Made:
    load: Callable[[Session], list]

    def __init__(self, load):
        self.load = load


def rows(db):
    return db


"""


@pytest.mark.parametrize(
    "text",
    [
        "run(rows)\n",
        "run(work=rows)\n",
        "Subject(key='a', load=rows)\n",
        "Small(key='a', load=rows)\n",
        "Subject(key='a', load=rows)\nrun(rows)\n",
    ],
)
def test_a_function_that_is_passed_is_called_with_what_is_declared(text):
    found = known(FIELDS + text)

    assert [one.kind for one in found] == ["session"]


@pytest.mark.parametrize(
    "text",
    [
        "Made(load=rows)\n",
        # Another receiver declares nothing.
        "run(rows)\nprint(rows)\n",
        "Subject(key=rows, load=print)\n",
        "open_(rows)\n",
    ],
)
def test_a_function_that_is_passed_to_others_as_well_is_not_known(text):
    assert known(FIELDS + text) == ()
