"""What a call of a method gives that its class leaves to those who override it."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

BASE = """
from typing import Any, Protocol


class Fake:
    pass


class Real:
    pass


class Contract{bases}:
    def make(self) -> Any:
        {body}

    def test(self):
        made = self.make()
        made
"""
BELOW = """
from tests.contract import Contract, Fake, Real


class TestFake(Contract):
    def make(self) -> Fake:
        return Fake()


class TestReal(Contract):
    def make(self):
        return Real()
"""


def made(body="raise NotImplementedError", bases="", below=BELOW, **options):
    text = BASE.format(body=body, bases=bases)
    files = {"tests/contract.py": text, "tests/test_it.py": below}
    project = program(files, **options)
    module = module_of(project, "tests/contract.py")
    return project.values.of(module, last(module, "made"))


def names(found):
    return {getattr(one, "qualified", "None") for one in found.alternatives}


@pytest.mark.parametrize("body", ["raise NotImplementedError", "raise NotImplementedError('x')"])
def test_it_is_what_all_of_them_give(body):
    found = made(body)
    assert found.is_known
    assert names(found) == {"tests.contract.Fake", "tests.contract.Real"}


def test_what_does_nothing_itself_may_give_none():
    found = made("pass")
    assert found.is_known
    assert found.may_be_none


def test_without_any_that_overrides_it_nothing_is_known():
    assert not made(below="").is_known


def test_one_that_gives_anything_leaves_it_open():
    more = BELOW + "\n\nclass TestMore(Contract):\n    def make(self):\n        return out()\n"
    assert not made(below=more).is_known


def test_any_class_may_fulfil_a_protocol():
    assert not made(bases="(Protocol)").is_known


def test_what_a_function_gives_itself_counts():
    found = made("return Fake()")
    assert names(found) == {"tests.contract.Fake"}


@pytest.mark.parametrize(
    ("body", "may_be_none"), [("raise NotImplementedError", False), ("pass", True)]
)
def test_a_coroutine_function_gives_what_awaiting_any_of_them_gives(body, may_be_none):
    waiting = BASE.replace("def ", "async def ").replace("= self", "= await self")
    files = {
        "tests/contract.py": waiting.format(body=body, bases=""),
        "tests/test_it.py": BELOW.replace("def ", "async def "),
    }
    project = program(files)
    module = module_of(project, "tests/contract.py")
    found = project.values.of(module, last(module, "made"))
    assert found.is_known
    assert found.may_be_none is may_be_none
    assert {"tests.contract.Fake", "tests.contract.Real"} <= names(found)


@pytest.mark.parametrize("published", [True, False])
def test_code_outside_of_a_published_project_may_override_it(published):
    files = {
        "lib/contract.py": BASE.format(body="raise NotImplementedError", bases=""),
        "lib/below.py": BELOW.replace("tests.contract", "lib.contract"),
    }
    project = program(files, published=published)
    module = module_of(project, "lib/contract.py")
    assert project.values.of(module, last(module, "made")).is_known is not published
