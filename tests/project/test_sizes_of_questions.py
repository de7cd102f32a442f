"""How large a question is: the same in any order, whatever is remembered."""

from __future__ import annotations

import random
from unittest import mock

import pytest
from growth import steps
from programs import last, module_of, program

from awaken.project.source.programs import module_store
from awaken.project.values.answers import circles
from awaken.project.values.answers.circles import Answers, Large
from awaken.project.values.domain import InstanceOf, TooLarge
from awaken.workspace.work import WORK

START = """class A:
    def __init__(self, given=None):
        self.kept = given
    def of(self) -> 'A':
        return self
    def other(self):
        return B()
class B(A):
    pass
"""
NAMES = [f"r{number}" for number in range(6)]


def written(chance: random.Random) -> str:
    """Return functions with branches, loops and recursions whose variables lead to each other."""
    made = [
        "{0}.of()",
        "{0}.other()",
        "f{1}({0}, n)",
        "{0} or {2}",
        "B({0}).kept",
        "r{1}",
        "[y][0]",
    ]
    functions = []
    for number in range(6):
        lines = ["    x, y = A(), B()"]
        for _ in range(chance.randrange(4, 10)):
            to, one, other = chance.choices("xy", k=3)
            given = chance.choice(made).format(one, chance.randrange(6), other)
            opening = chance.choice(["if n:", "while n:", "for _ in n:", "if n:"])
            lines.append(f"    {opening}\n        {to} = {given}")
        functions.append(f"def f{number}(y, n):\n" + "\n".join(lines) + "\n    return x\n")
    return "".join(functions)


def generated(seed: int) -> dict[str, str]:
    chance = random.Random(seed)
    results = "".join(f"{name} = f{name[1]}(A(), 1)\n" for name in NAMES)
    return {"m.py": f"{START}{written(chance)}{results}" + "".join(f"{one}\n" for one in NAMES)}


def answers(files: dict[str, str], order: list[str]) -> dict[str, object]:
    """Return what each name is; one that ends with an exclamation mark without callers."""
    project = program(files)
    found = {}
    for one in order:
        module = module_of(project, "m.py")
        ask = project.values.without_callers if one.endswith("!") else project.values.of
        found[one] = ask(module, last(module, one.removesuffix("!")))
    return found


@pytest.mark.parametrize("limit", ["MOST_STEPS", "DEEPEST"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.sampled(4)
def test_any_order_gives_the_same_answers_near_the_limit(seed, limit, monkeypatch):
    files = generated(seed)
    # So that about half of the questions are too large.
    limits = {"MOST_STEPS": [60, 150, 400, 900], "DEEPEST": [8, 15, 25, 40]}
    monkeypatch.setattr(circles, limit, limits[limit][seed % 4])
    names = [*NAMES, *(f"{name}!" for name in NAMES)]
    alone = {one: answers(files, [one])[one] for one in names}
    shuffled = random.Random(seed).sample(names, len(names))

    for order in (names, names[::-1], shuffled):
        assert answers(files, order) == alone


def test_the_limit_of_these_programs_is_met_by_some_and_not_by_others(monkeypatch):
    monkeypatch.setattr(circles, "MOST_STEPS", 400)
    found = [one for seed in range(4) for one in answers(generated(seed), NAMES).values()]

    too_large = [isinstance(one.unknown, TooLarge) for one in found]
    assert any(too_large)
    assert not all(too_large)


@pytest.mark.parametrize(
    "branch",
    [
        "    if n == {0}:\n        x = x.of()\n",
        "    if n == {0}:\n        x = x.of()\n    else:\n        x = x.other()\n",
        "    if n == {0}:\n        x = x.of()\n    elif n:\n        x = x.other().of()\n",
    ],
    ids=["if", "else", "elif"],
)
def test_steps_grow_with_the_branches_and_do_not_double(branch):
    lines = "".join(branch.format(number) for number in range(11))
    text = f"{START}def f(n):\n    x = A()\n{lines}    x\n"

    found = answers({"m.py": text}, ["x"])["x"]

    assert {one.qualified for one in found.alternatives if isinstance(one, InstanceOf)} & {"m.A"}


def test_what_asks_twice_for_the_same_is_worked_out_once():
    lines = "".join(f"x{number} = x{number + 1} or x{number + 1}\n" for number in range(25))
    found = answers({"m.py": f"{START}{lines}x25 = A()\nx0\n"}, ["x0"])["x0"]

    assert found.instance_of == ("m.A",)


ATTACKS = {
    "every read has every definition": (
        "    x = A()\n",
        "    if n == {0}:\n        x = A()\n",
        "    if n:\n        n = [n, x, x]\n",
        "    [n, x, x]\n",
    ),
    "every read has every definition, in a circle": (
        "    x = A()\n    while n:\n",
        "        if n == {0}:\n            x = x or n\n",
        "        n = x or n or x\n",
        "        x\n",
    ),
    "one variable, handed on by many": (
        "    x = A()\n",
        "    if n == {0}:\n        x = A()\n",
        "    y{0} = x\n",
        "    [" + ", ".join(f"y{number}" for number in range(60)) + "]\n",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_more_is_asked_than_the_limit_allows(name, monkeypatch):
    first, definition, read, end = ATTACKS[name]
    body = "".join(one.format(number) for one in (definition, read) for number in range(60))
    project = program({"m.py": f"{START}def f(n):\n{first}{body}{end}"})
    module = module_of(project, "m.py")
    monkeypatch.setattr(circles, "MOST_STEPS", 1_000)
    asked = 0
    of = Answers.answer_to

    def counted(*arguments):
        nonlocal asked
        asked += 1
        return of(*arguments)

    monkeypatch.setattr(Answers, "answer_to", counted)
    found = project.values.of(module, last(module, end.strip()))

    assert isinstance(found.unknown, TooLarge)
    # A circle is asked once in each round.
    assert asked <= 12 * 2 * circles.MOST_STEPS


def circle(length: int) -> dict[str, str]:
    """Return a module with ``length`` names, each of which may be any of the others."""
    names = [f"x{number}" for number in range(length)]
    reads = "".join(f"{name} = hub[0]\n{name}\n" for name in names)
    return {"m.py": f"{START}hub = [{', '.join(names)}, A()]\n{reads}"}


def test_a_circle_that_is_too_deep_is_worked_out_in_one_round():
    length = 3 * circles.DEEPEST
    project = program(circle(length))
    module = module_of(project, "m.py")
    before = WORK.questions

    possible = project.values.of(module, last(module, "x0"))

    assert isinstance(possible.unknown, TooLarge)
    assert WORK.questions - before < 6 * length


CHAIN = {"m.py": START + "".join(f"x{one} = x{one + 1}\n" for one in range(200)) + "x0\n"}


@pytest.mark.parametrize(
    ("files", "asked"),
    [(circle(100), [f"x{number}" for number in range(20)]), (CHAIN, ["x0"] * 20)],
    ids=["circle", "chain"],
)
def test_what_is_too_large_is_worked_out_once(files, asked):
    project = program(files)
    module = module_of(project, "m.py")
    first, *others = [last(module, name) for name in asked]
    assert len(others) == 19

    def ask(nodes):
        assert all(isinstance(project.values.of(module, one).unknown, TooLarge) for one in nodes)

    assert steps(lambda: ask([first])) > 4 * steps(lambda: ask(others))


def test_what_many_questions_lead_to_is_found_too_deep_once():
    heads = [f"h{number}" for number in range(20)]
    starts = "".join(f"{head} = [x0]\n{head}\n" for head in heads)
    project = program({"m.py": CHAIN["m.py"] + starts})
    module = module_of(project, "m.py")
    before = WORK.questions

    for head in heads:
        assert isinstance(project.values.of(module, last(module, head)).unknown, TooLarge)

    assert WORK.questions - before < 2 * circles.DEEPEST


def test_trees_that_are_parsed_again_change_no_size(monkeypatch):
    files = generated(5)
    parts = {f"p{number}.py": f"{START}{written(random.Random(number))}" for number in range(4)}
    given = "".join(f"import p{one}\nr{one} = p{one}.f{one}(r{one + 1}, 1)\n" for one in range(4))
    reads = "".join(f"{name}\n" for name in NAMES)
    files = {**parts, "m.py": f"from p0 import A\n{given}r4 = A()\nr5 = p2.f1(r0, r1)\n{reads}"}
    monkeypatch.setattr(circles, "MOST_STEPS", 700)
    expected = answers(files, NAMES)

    # One byte drops every tree as soon as the next is read.
    with mock.patch.object(module_store, "KEPT_SOURCE_BYTES", 1):
        assert answers(files, NAMES[::-1]) == expected


def test_what_two_questions_have_in_common_counts_once():
    shared = Large(3, 50, ())
    one, other = Large(1, 20, (shared,)), Large(2, 30, (shared, Large(3, 50, ())))

    assert Large(0, 10, (one, other)).size(1_000) == 110


def test_what_does_not_depend_on_callers_is_worked_out_once():
    files = {"m.py": f"{START}a = A()\ndef f(y):\n    n = a.of()\n    n\n    y\nf(a)\n"}
    project = program(files)
    module = module_of(project, "m.py")
    project.values.of(module, last(module, "n"))

    before = WORK.questions
    project.values.without_callers(module, last(module, "n"))
    shared = WORK.questions
    aside = project.values.without_callers(module, last(module, "y"))

    assert shared == before
    assert not aside.alternatives
    assert project.values.of(module, last(module, "y")).alternatives
