"""What a fixture gives that is asked for by its name."""

from __future__ import annotations

import ast

import pytest
from programs import program

from awaken.project.values.domain import InstanceOf
from awaken.project.values.pytest_fixtures import fixture_for

STORES = """\
import pytest


class Shelf:
    def put(self, name):
        pass


class Box:
    def put(self, name):
        pass


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def box():
    yield Box()


"""
CHOSEN = """\
@pytest.fixture(params=["shelf", pytest.param("box", marks=pytest.mark.slow)])
def store(request):
    found = request.getfixturevalue(request.param)
    return found


def test_put(store):
    store.put("book")
"""


def put_on(text, **others):
    """Return the classes of what `put` is called on in the tests; None if they are not known."""
    files = {f"tests/{name}.py": more for name, more in others.items()}
    project = program({"tests/test_stores.py": STORES + text, **files}, published=False)
    module = project.module("tests/test_stores.py")
    assert module is not None
    (call,) = (
        node
        for node in module.walk()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == "put"
    )
    assert isinstance(call.func, ast.Attribute)
    found = project.values.of(module, call.func.value)
    if not found.is_known:
        return None
    return {
        one.qualified.rpartition(".")[2]
        for one in found.alternatives
        if isinstance(one, InstanceOf)
    }


def test_a_fixture_gives_what_those_give_that_it_chooses_from():
    assert put_on(CHOSEN) == {"Shelf", "Box"}


def test_a_test_gets_what_the_fixture_gives_that_it_names():
    text = 'def test_put(request):\n    request.getfixturevalue("box").put("book")\n'
    assert put_on(text) == {"Box"}


@pytest.mark.parametrize(("parameter", "gets"), [("box", True), ("box=None", False)])
def test_a_parameter_with_a_default_gets_no_fixture(parameter, gets):
    text = f"{STORES}def test_put({parameter}):\n    pass\n"
    project = program({"tests/test_stores.py": text}, published=False)
    module = project.module("tests/test_stores.py")
    assert module is not None
    test = module.functions[-1]

    fixture = fixture_for(project.values._evaluator, module, test, "box")
    assert (fixture is not None) is gets


def test_texts_that_parametrize_passes_are_names_of_fixtures():
    text = """\
@pytest.mark.parametrize("name", ["shelf", "box"])
def test_put(request, name):
    request.getfixturevalue(name).put("book")
"""
    assert put_on(text) == {"Shelf", "Box"}


OPEN = {
    "a parameter that is no text": CHOSEN.replace('"shelf"', "chosen()"),
    "a fixture that is not in sight": CHOSEN.replace('"shelf"', '"drawer"'),
    "a param of several values": CHOSEN.replace('("box", ', '("box", "shelf", '),
    "no parameters of its own": CHOSEN.replace('(params=["shelf", ', "(ids=[").replace(
        'pytest.param("box", marks=pytest.mark.slow)]', '"one"]'
    ),
    "another request": CHOSEN.replace("    found", "    request = asked()\n    found"),
}


@pytest.mark.parametrize("text", OPEN.values(), ids=OPEN.keys())
def test_what_else_it_may_be_is_not_guessed(text):
    assert put_on(text) is None


def test_a_test_may_pass_other_parameters_to_the_fixture():
    other = """\
import pytest


@pytest.mark.parametrize("store", ["drawer"], indirect=True)
def test_other(store):
    assert store
"""
    assert put_on(CHOSEN, test_other=other) is None
