"""Following the names of a function grows with its size: twice the steps for twice the code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from textwrap import indent

import pytest
from growth import steps
from programs import module_of, program

from awaken.project.values.domain import TooLarge
from awaken.project.values.local.flow import flow_of


def _function(body: str) -> str:
    return "def f(q, k, a):\n" + indent(body, "    ") + "\n    return q\n"


def _nested(opening: str, closing: str, number: int) -> str:
    lines = [
        line
        for at in range(number)
        for line in (f"{'  ' * at}{opening.format(at)}", f"{'  ' * (at + 1)}q = g(q)")
    ]
    if closing:
        for at in reversed(range(number)):
            lines += [f"{'  ' * at}{closing}", f"{'  ' * (at + 1)}q = h(q)"]
    return "\n".join(lines)


SHAPES: dict[str, tuple[int, Callable[[int], str]]] = {
    "if": (10, lambda n: "\n".join(f"if k > {i}:\n    q = q.m({i})" for i in range(n))),
    "if else": (
        10,
        lambda n: "\n".join(
            f"if k > {i}:\n    q = q.m({i})\nelse:\n    q = q.o()" for i in range(n)
        ),
    ),
    "try": (
        10,
        lambda n: "try:\n    q = g(q)\nexcept E:\n    q = h(q)\nfinally:\n    q = q.d()\n" * n,
    ),
    "try in try": (5, lambda n: _nested("try:", "except E:", n)),
    "finally in finally": (5, lambda n: _nested("try:", "finally:", n)),
    "loops": (10, lambda n: "\n".join(f"for x{i} in a:\n    q = q.m(x{i})" for i in range(n))),
    "loops in loops": (4, lambda n: _nested("for x{} in a:", "", n)),
    "with": (10, lambda n: "\n".join(f"with a[{i}]:\n    q = q.m({i})" for i in range(n))),
    "match": (
        10,
        lambda n: (
            "match k:\n" + "\n".join(f"    case {i}:\n        q = q.m({i})" for i in range(n))
        ),
    ),
    "breaks": (
        10,
        lambda n: (
            "while True:\n"
            + "\n".join(f"    if k == {i}:\n        q = q.m({i})\n        break" for i in range(n))
        ),
    ),
    "copies": (50, lambda n: "\n".join(f"v{i + 1} = v{i}" for i in range(n))),
    "locals": (50, lambda n: "\n".join(f"v{i} = {i}\nprint(v{i})" for i in range(n))),
    "one name": (50, lambda n: "\n".join(f"v = {i}\nprint(v)" for i in range(n))),
    "functions inside": (
        20,
        lambda n: "\n".join(f"def g{i}():\n    return q\ng{i}()" for i in range(n)),
    ),
}


def _followed(text: str) -> None:
    module = module_of(program({"a.py": text}), "a.py")
    flow = flow_of(module, module.tree.body[0])
    for name in flow.scope.bindings:
        known = flow.definitions(name)
        assert isinstance(known, tuple)
        for one in known:
            flow.reads_of(one)
        flow.outdated_reads("q", [one.node for one in known])


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_grow_with_the_size_of_the_function(shape):
    size, body = SHAPES[shape]
    texts = [_function(body(size * times)) for times in (1, 2, 4)]
    _followed(texts[0])  # what is done once only
    one, two, four = (steps(lambda text=text: _followed(text)) for text in texts)

    # Linear is 2, quadratic 4; what is done whatever the size falls out.
    assert four - two < 3 * (two - one), (one, two, four)


def test_functions_of_a_file_do_not_look_at_each_other():
    texts = [
        "\n".join(f"def f{i}(q):\n    g = lambda: 1\n    return q" for i in range(50 * times))
        for times in (1, 2, 4)
    ]

    def followed(text: str) -> None:
        module = module_of(program({"a.py": text}), "a.py")
        for function in module.tree.body:
            flow = flow_of(module, function)
            assert flow.reads("q")

    followed(texts[0])
    one, two, four = (steps(lambda text=text: followed(text)) for text in texts)
    assert four - two < 3 * (two - one), (one, two, four)


@pytest.mark.parametrize("number", [100, 400])
def test_a_name_with_too_many_values_is_not_followed_and_says_so(number):
    text = _function(SHAPES["if"][1](number))
    module = module_of(program({"a.py": text}), "a.py")
    flow = flow_of(module, module.tree.body[0])
    read = next(one for one in ast.walk(module.tree.body[0]) if isinstance(one, ast.Name))
    known = flow.definitions("q")

    if number == 100:
        assert len(known) == 101
        assert len(flow.reaching(flow.reads("q")[-1])) == 101
        return
    assert isinstance(known, TooLarge)
    assert (
        known.why == "`q` has 401 values in this function and is read 401 times, too many to follow"
    )
    assert flow.reaching(flow.reads("q")[-1]) == known
    assert not isinstance(flow.definitions("k"), TooLarge), read
