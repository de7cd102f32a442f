"""The order of questions: whatever was asked before, the answer is the same."""

from __future__ import annotations

import ast
import random

import pytest
from programs import last, module_of, program

from awaken.project.values.answers import circles
from awaken.project.values.answers.circles import DEEPEST
from awaken.project.values.domain import InstanceOf, TooLarge, Unknown

_CLASSES = "class A:\n    pass\nclass B:\n    pass\n"


def chain(length: int) -> str:
    """Return a module with ``length`` names, each of which is the next one."""
    names = "".join(f"x{number} = x{number + 1}\n" for number in range(length))
    return f"{_CLASSES}{names}x{length} = A()\n" + "".join(f"x{n}\n" for n in range(length))


def generated(seed: int) -> str:
    """Return a module whose functions, attributes and names lead to each other at random."""
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(30)]
    made = ["A()", "B()", "[A()]", "(A(), B())", "dict(a=B())", "None"]
    links = ["{0}", "f{1}({0})", "{0} or {2}", "[{0}, {2}][0]", "({0}, {2})[1]", "Own({0}).kept"]
    functions = []
    for number in range(5):
        returned = chance.choice(["x", "A()", f"f{chance.randrange(5)}(x)"])
        functions.append(f"def f{number}(x):\n    return {returned}\n")
    lines = []
    for name in names:
        link = chance.choice([*links, *made]).format(
            chance.choice(names), chance.randrange(5), chance.choice(names)
        )
        lines.append(f"{name} = {link}\n")
    own = "class Own:\n    def __init__(self, given):\n        self.kept = given\n"
    return _CLASSES + own + "".join(functions + lines) + "".join(f"{name}\n" for name in names)


def answers(text: str, order: list[str], *, at_once: bool) -> dict[str, object]:
    """Return what each name is, asked in this order of one project or of one each."""
    project = program({"m.py": text})
    found = {}
    for name in order:
        project = project if at_once else program({"m.py": text})
        module = module_of(project, "m.py")
        found[name] = project.values.of(module, last(module, name))
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.sampled(4)
def test_any_order_of_questions_gives_the_same_answers(seed):
    text = generated(seed)
    names = [f"n{number}" for number in range(30)]
    alone = answers(text, names, at_once=False)
    shuffled = random.Random(seed).sample(names, len(names))

    for order in (names, names[::-1], shuffled):
        assert answers(text, order, at_once=True) == alone


@pytest.mark.parametrize(
    "length",
    [
        *(DEEPEST // 2 + more for more in (-3, 0, 3)),
        pytest.param(DEEPEST, marks=pytest.mark.slow),
    ],
)
def test_a_chain_is_as_long_from_either_end(length):
    names = [f"x{number}" for number in range(length)]

    forwards = answers(chain(length), names, at_once=True)
    backwards = answers(chain(length), names[::-1], at_once=True)

    assert forwards == backwards
    assert forwards[names[-1]].alternatives[0].qualified == "m.A"


def test_a_chain_beyond_the_limit_is_too_large_and_one_within_it_is_not():
    found = answers(chain(400), ["x0", "x399"], at_once=True)

    assert isinstance(found["x0"].unknown, TooLarge)
    assert found["x399"].is_known


@pytest.mark.parametrize("length", [DEEPEST // 4 - 2, DEEPEST])
def test_what_many_functions_hand_on_takes_no_more_stack_than_there_is(length):
    handing = "".join(
        f"def _f{number}(x):\n    for y in [x]:\n        _f{number + 1}(y)\n"
        for number in range(length)
    )
    text = f"{_CLASSES}{handing}def _f{length}(x):\n    x\n_f0(A())\n"

    found = answers(text, ["x"], at_once=True)["x"]

    assert isinstance(found.unknown, TooLarge) == (length == DEEPEST)


@pytest.mark.slow
def test_what_many_callers_pass_around_is_no_deeper_than_one_of_them():
    each = "".join(
        f"def g{number}(n):\n    context = make(n)\n    _use(context)\n" for number in range(120)
    )
    text = (
        f"{_CLASSES}def make(n):\n    return _use({{'a': A()}}) if n else {{'a': A()}}\n"
        f"def _use(context):\n    context['b'] = context['a']\n    context\n    return context\n"
        f"{each}"
    )
    module = module_of(program({"m.py": text}), "m.py")

    found = program({"m.py": text}).values.of(module, last(module, "context"))

    assert found.is_known, str(found)


def test_a_question_that_takes_too_many_steps_is_too_large(monkeypatch):
    monkeypatch.setattr(circles, "MOST_STEPS", 60)
    lines = "".join(f"x{number} = x{number + 1} or x{number + 1}\n" for number in range(20))
    text = f"{_CLASSES}{lines}x20 = A()\nx0\nx15\n"

    for order in (["x0", "x15"], ["x15", "x0"]):
        found = answers(text, order, at_once=True)
        assert isinstance(found["x0"].unknown, TooLarge)
        assert found["x15"].is_known


CIRCLES = {
    "a loop": "def f(n):\n    x = A()\n    while n:\n        y = x\n        x = y\n    x\n",
    "functions": (
        "def f(n): return g(n) if n else A()\ndef g(n): return f(n) or B()\nx = g(1)\nx\n"
    ),
    "attributes": (
        "class C:\n    def __init__(self):\n        self.a = self.b or A()\n"
        "    def g(self):\n        self.b = self.a or B()\nx = C().a\nx\n"
    ),
    "a parameter": "def _f(x, n):\n    x\n    return _f(x, n - 1) if n else x\n_f(A(), 3)\n",
}


@pytest.mark.parametrize("text", CIRCLES.values(), ids=CIRCLES)
def test_a_circle_is_what_comes_into_it(text):
    project = program({"m.py": _CLASSES + text})
    module = module_of(project, "m.py")

    found = project.values.of(module, last(module, "x"))

    assert found.is_known, str(found)
    assert set(found.instance_of) <= {"m.A", "m.B"}
    assert "m.A" in found.instance_of


@pytest.mark.parametrize(
    "text",
    [
        "x = [x]\n",
        "x = (x, x)\n",
        "def f(): return lambda: f()\nx = f()\n",
        "async def f(): return f()\nx = f()\n",
        "from typing import Union\nJ = Union[dict[str, 'J'], list['J'], int]\ndef f(x: J): x\n",
        "def f(a): return f([a])\nx = f(1)\n",
        "class C:\n    def __getattr__(self, name): return self.name\nx = C().x.y\n",
    ],
)
def test_what_grows_without_end_has_an_answer(text):
    project = program({"m.py": f"{text}x\n"})
    module = module_of(project, "m.py")

    assert str(project.values.of(module, last(module, "x")))


def test_pythons_own_stack_is_deep_enough():
    deep = "x" + ".a" * 80 + "\n" + "y = " + "[" * 40 + "]" * 40 + "\ny\n"
    project = program({"m.py": f"x = 1\n{deep}"})
    module = module_of(project, "m.py")
    node = next(one for one in module.walk() if isinstance(one, ast.Attribute))

    assert isinstance(project.values.of(module, node).unknown, Unknown)
    assert isinstance(project.values.of(module, last(module, "y")).alternatives[0], InstanceOf)
