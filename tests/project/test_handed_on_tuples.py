"""Functions in tuples with other values: the position tells which of the two is called."""

from __future__ import annotations

import pytest
from programs import program

WORK = """\
def work():
    pass


def other():
    pass


"""
REACHED = {
    "a tuple in a dictionary": """\
TABLE = {"a": (work, "first"), "b": (other, "second")}


def run(name):
    call, shown = TABLE[name]
    print(shown.title())
    call()
""",
    "tuples in a list": """\
STEPS = [("first", work), ("second", other)]


def run(keys):
    for name, call in STEPS:
        keys.add(name)
        call()
    return keys
""",
    "numbered tuples": """\
def run(keys):
    for number, (name, call) in enumerate([("first", work), ("second", other)]):
        keys.add(name)
        call()
""",
    "the items of a dictionary with tuples": """\
TABLE = {"a": (work, "first"), "b": (other, "second")}


def run(keys):
    for name, (call, shown) in TABLE.items():
        keys.add(shown)
        call()
""",
    "an index": """\
PAIRS = ((work, "first"), (other, "second"))


def run(keys):
    for pair in sorted(PAIRS):
        keys.add(pair[1])
        pair[0]()
""",
    "a result": """\
def chosen(is_first):
    return (work, "first") if is_first else (other, "second")


def run(keys):
    call, shown = chosen(True)
    keys.add(shown)
    call()
""",
    "a list with the items of a tuple": """\
PAIR = (work, "first")


def run():
    items = list(PAIR)
    items.insert(0, other)
    items[1]()
""",
    "a display with the items of a tuple": """\
PAIR = (work, other)


def run(keys):
    _, call, _ = [keys, *PAIR]
    call()
""",
    "what takes the items of a tuple": """\
PAIR = (work, other)


def run():
    items = []
    items.extend(PAIR)
    items.extend(PAIR)
    items[3]()
""",
    "the values of a dictionary with numbers": """\
TABLE = {1: work, 0: other}


def run():
    call, _ = TABLE.values()
    call()
""",
    "an item of a dictionary": """\
TABLE = {"a": work, "b": other}


def run():
    for item in TABLE.items():
        item[1]()
""",
    "a numbered item": """\
def run():
    for item in enumerate((work, other)):
        item[1]()
""",
}


def of_work(text):
    project = program({"app.py": WORK + text})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    work = next(one for one in graph.functions() if one.qualname == "work")
    return work, handed


@pytest.mark.parametrize("text", REACHED.values(), ids=REACHED)
def test_a_call_reaches_the_functions_of_tuples(text):
    work, handed = of_work(text)

    (component,) = handed.components_of(work)
    assert component.leaks == {}
    assert {function.qualname for function in component.functions} == {"work", "other"}
    assert len(component.calls) == 1


LEAKS = {
    "a star": """\
def run(items):
    first, *calls, last = (items, work, other, items)
    calls[0]()
""",
    "a tuple after another": """\
def run():
    _, call = (other,) + (work,)
    call()
""",
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS)
def test_other_positions_are_not_followed(text):
    work, handed = of_work(text)

    (component,) = handed.components_of(work)
    assert component.leaks


def test_another_position_is_another_value():
    work, handed = of_work(
        """\
PAIR = (work, other)


def run():
    first, second = PAIR
    second()
"""
    )

    (component,) = handed.components_of(work)
    assert {function.qualname for function in component.functions} == {"work"}
    assert component.calls == {}


def test_who_calls_a_lambda_waits_for_what_it_calls_by_a_variable():
    work, handed = of_work(
        """\
TABLE = {"a": work, "b": other}


def guarded(call):
    return call()


def run(name):
    call = TABLE[name]
    return guarded(lambda: call())
"""
    )

    assert [call.caller.qualname for call in handed.callers(work, [])] == ["guarded"]
    assert len([*handed.components_around(work)]) == 2
