"""Functions that are keys of dictionaries, or stand in for dependencies in tests."""

from __future__ import annotations

import pytest
from programs import program

WORK = """\
from fastapi import FastAPI
import pytest

app = FastAPI()


def work():
    pass


def other():
    pass


"""


def of_work(text):
    project = program({"tests/test_app.py": WORK + text})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    work = next(one for one in graph.functions() if one.qualname == "work")
    return work, handed, handed.components_of(work)


LOOKED_UP = {
    "the class of a test": """\
class Overrider:
    def __init__(self, overrides):
        self.overrides = overrides
        self._before = {}

    def __enter__(self):
        for needed, given in self.overrides.items():
            if needed in app.dependency_overrides:
                self._before[needed] = app.dependency_overrides[needed]
            app.dependency_overrides[needed] = given

    def __exit__(self, *args):
        for needed in self.overrides.keys():
            if needed in self._before:
                app.dependency_overrides[needed] = self._before.pop(needed)
            else:
                del app.dependency_overrides[needed]


@pytest.fixture
def overrides():
    yield {other: work, work: other}


def test_it(overrides):
    with Overrider(overrides):
        pass


@pytest.mark.parametrize("named", [None, "overrides"])
def test_by_name(named, request):
    with Overrider(request.getfixturevalue(named)):
        pass
""",
    "what is updated": """\
def test_it():
    given = {work: other}
    app.dependency_overrides.update(given)
    app.dependency_overrides = {work: work}
""",
    "an index": """\
def run():
    found = {}
    found[work] = 1
    print(found[work], found.get(work), found.pop(work, None))
""",
}


@pytest.mark.parametrize("text", LOOKED_UP.values(), ids=LOOKED_UP)
def test_what_is_only_looked_up_is_not_called(text):
    work, handed, found = of_work(text)

    assert [(one.leaks, one.calls) for one in found] == [({}, {})] * len(found)
    assert found
    # Each is called by the framework as what it is.
    assert list(handed.interchangeable_functions(work)) == []


CALLED = {
    "a key": """\
def run():
    for call in {work: 1}:
        call()
""",
    "a key of pairs": """\
def run(table):
    for call, number in table.items():
        call()


run({work: other})
""",
    "keys in a list": """\
def run():
    table = {work: 1}
    list(table.keys())[0]()
""",
    "a key that is put there": """\
TABLE = {}
TABLE[work] = 1


def run():
    for number, call in enumerate(TABLE):
        call()
""",
    "keys that are unpacked": """\
def run():
    for call in [*{work: 1}]:
        call()
""",
    "an override": """\
def test_it():
    app.dependency_overrides[other] = work
    app.dependency_overrides[other]()
""",
    "an override of a copy": """\
def test_it():
    app.dependency_overrides.update({other: work})
    before = app.dependency_overrides.copy()
    before[other]()
""",
    "a fixture by its name": """\
@pytest.fixture
def table():
    return {"a": work}


@pytest.mark.parametrize(("named", "number"), [pytest.param("table", 1)])
def test_it(request, named, number):
    request.getfixturevalue(named)["a"]()
""",
}


@pytest.mark.parametrize("text", CALLED.values(), ids=CALLED)
def test_keys_and_overrides_are_followed_to_their_calls(text):
    _, _, found = of_work(text)

    calls = [call for one in found for call in one.calls.values()]
    assert [[each.qualname for each in call.functions] for call in calls] == [["work"]]
    assert not any(one.leaks for one in found)


def test_who_calls_a_key_may_call_each_of_them():
    _, _, found = of_work("""\
def run(table):
    for call in table:
        call()


run({work: 1})
run({other: 1})
run([other])
""")

    (call,) = (call for one in found for call in one.calls.values())
    assert [one.qualname for one in call.functions] == ["work", "other"]


OUT_OF_SIGHT = {
    "pairs that are kept": """\
def run():
    return sorted({work: 1}.items())
""",
    "a table of a library": """\
def run(table):
    table[work] = 1
""",
    "a fixture that is asked for by a name that is not known": """\
def test_it(request, name):
    app.dependency_overrides[other] = work
    found = app.dependency_overrides.copy()
    found = request.getfixturevalue(name)
    found[other]()
""",
}


@pytest.mark.parametrize("text", OUT_OF_SIGHT.values(), ids=OUT_OF_SIGHT)
def test_keys_that_lead_out_of_sight_are_told(text):
    _, _, found = of_work(text)

    assert any(one.leaks for one in found)


ALIASES = {
    "by another name": {"b.py": "from app import TABLE as rows\nfor row in rows: row()\n"},
    "by another name again": {
        "b.py": "from app import TABLE as rows\n",
        "c.py": "from b import rows as jobs\nfor job in jobs: job()\n",
    },
}


@pytest.mark.parametrize("files", ALIASES.values(), ids=ALIASES)
def test_a_table_is_read_by_another_name(files):
    project = program({"app.py": "def work(): ...\nTABLE = [work]\n", **files})
    work = next(item for item in project.calls.graph().functions() if item.qualname == "work")
    (component,) = project.calls.passed_functions().components_of(work)
    assert [place.path for place in component.calls] == [max(files)]


PUT = "app.dependency_overrides[need] = work"
BY_FUNCTION = {
    "an index": (PUT, "app.dependency_overrides[need]()"),
    "a method": (PUT, "app.dependency_overrides.get(need)()"),
    "another name": (PUT, "app.dependency_overrides[same]()"),
    "an update": (
        "app.dependency_overrides.update({need: work})",
        "app.dependency_overrides[need]()",
    ),
    "a table": ("TABLE[need] = work", "TABLE[need]()"),
    "a display": ("TABLE = {need: work, lack: other}", "TABLE[same]()"),
    "an item of a table": ("TABLE = {need: work, lack: other}", "TABLE.pop(need)()"),
}
NEEDS = """\
def need(): ...
def lack(): ...
same = need
TABLE = {}
app.dependency_overrides[lack] = other
TABLE[lack] = other
"""


@pytest.mark.parametrize(("put", "taken"), BY_FUNCTION.values(), ids=BY_FUNCTION)
def test_what_is_put_by_a_function_is_taken_by_that_function(put, taken):
    _, _, found = of_work(f"{NEEDS}{put}\n\ndef test_it():\n    {taken}\n")

    (call,) = (call for one in found for call in one.calls.values())
    assert [each.qualname for each in call.functions] == ["work"]


UNKNOWN_KEYS = {
    "a parameter": "def test_it(key):\n    app.dependency_overrides[key]()\n",
    "all of them": """\
def test_it():
    for each in app.dependency_overrides.values():
        each()
""",
}


@pytest.mark.parametrize("text", UNKNOWN_KEYS.values(), ids=UNKNOWN_KEYS)
def test_who_takes_by_an_unknown_key_may_call_each(text):
    _, _, found = of_work(f"{NEEDS}app.dependency_overrides[need] = work\n{text}")

    (call,) = (call for one in found for call in one.calls.values())
    assert [each.qualname for each in call.functions] == ["work", "other"]
