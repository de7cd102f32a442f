"""Values on their way through functions: who calls, who holds, and what of it is unseen."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from programs import last, module_of, program

from awaken.project.graph.call_edges import CallEdges, Unseen
from awaken.project.graph.holders import Holders
from awaken.project.source.worklist import reverse_postorder

PROGRAM = """
    def _made(flag):
        value = 1 if flag else 2
        return value

    def _shown(given):
        print(given)

    def _run(flag):
        found = _made(flag)
        _shown(found)
"""


def _is_passed(module, node):
    return ast.unparse(module.parent(node).func) != "print"


class Followed:
    """The edges and holders of one file, where only ``print`` uses its arguments up."""

    def __init__(self, text):
        self.project = program({"m.py": text})
        self.module = module_of(self.project, "m.py")
        self.edges = CallEdges(self.project.calls, self.project.module, self.module)
        self.holders = Holders(self.edges, _is_passed)

    def context(self, name):
        function = next(one for one in self.module.walk() if getattr(one, "name", None) == name)
        return self.edges.context_around(self.module, function.body[0])

    def held_after(self, text):
        """What holds the value of the last expression ``text``, one after the other."""
        node = last(self.module, text)
        waiting = [(self.edges.context_around(self.module, node), node)]
        found = []
        while waiting:
            held = self.holders.holding(*waiting.pop())
            if isinstance(held, Unseen):
                return held
            for holder in held:
                if holder not in found:
                    found.append(holder)
                    reads = self.holders.reads_of(holder)
                    if isinstance(reads, Unseen):
                        return reads
                    waiting += reads
        return [f"{one.context.function.name}: {one.display_name}" for one in found]


def test_a_value_is_followed_out_of_a_function_and_into_another():
    held = Followed(PROGRAM).held_after("1 if flag else 2")

    assert held == ["_made: value", "_made: _made", "_run: found", "_shown: given"]


def test_values_of_a_holder_are_those_of_all_calls():
    followed = Followed(PROGRAM + "\n    def _other():\n        _shown(3)\n")
    (held,) = followed.holders.holding(followed.context("_run"), last(followed.module, "found"))

    given = [ast.unparse(node) for _, node in followed.holders.values_of(held)]
    assert sorted(given) == ["3", "found"]


def test_a_read_is_reached_by_what_the_call_returns():
    followed = Followed(PROGRAM)
    context = followed.context("_run")
    call = last(followed.module, "_made(flag)")
    assert followed.edges.comes_out(context, call) is True

    assert [one.display_name for one in followed.holders.reaching(context, call)] == ["_made"]


def test_an_element_of_a_tuple_is_held_by_the_name_that_it_is_unpacked_to():
    held = Followed(
        """
        def _pair():
            return 1, 2

        def _run():
            one, two = _pair()
            print(two)
        """
    ).held_after("2")

    assert held == ["_pair: _pair", "_run: two"]


@pytest.mark.parametrize(
    ("text", "node", "kind"),
    [
        ("def _f():\n    if print():\n        return 1\n", "1", "returned"),
        ("def _f():\n    return 1\n_f()\n", "1", "callers"),
        ("def _f():\n    return 1\ntable = [_f]\n", "1", "callers"),
        ("def _f():\n    unknown(1)\n", "1", "passed"),
        ("def _f():\n    return 1, 2\ndef _g():\n    print(_f())\n", "2", "held"),
    ],
)
def test_what_is_out_of_sight_is_unseen(text, node, kind):
    held = Followed(text).held_after(node)

    assert isinstance(held, Unseen)
    assert held.kind == kind
    assert held.places


def test_a_parameter_that_one_call_does_not_give_is_none():
    followed = Followed(
        """
        def _f(given=None):
            print(given)

        def _g():
            _f()
            _f(1)
        """
    )
    context = followed.context("_f")
    (holder,) = followed.holders.holding(followed.context("_g"), last(followed.module, "1"))

    assert holder.parameter is context.function.args.args[0]
    values = followed.holders.values_of(holder)
    assert [ast.unparse(value) for _, value in values] == ["None", "1"]


@pytest.mark.parametrize(
    ("call", "default"), [("_f(*a)", "None"), ("_f(**a)", "None"), ("_f()", "()")]
)
def test_a_parameter_that_one_call_may_give_is_unseen(call, default):
    followed = Followed(
        f"""
        def _f(given={default}):
            print(given)

        def _g(a):
            {call}
            _f(1)
        """
    )
    context = followed.context("_f")
    (holder,) = followed.holders.holding(followed.context("_g"), last(followed.module, "1"))

    assert holder.parameter is context.function.args.args[0]
    assert followed.holders.values_of(holder).kind == "held"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", True),
        ("raise ValueError", True),
        ("if a:\n    return 1\nelse:\n    raise ValueError", True),
        ("if a:\n    return 1", False),
        ("try:\n    return 1\nexcept ValueError:\n    pass", False),
        ("try:\n    a()\nfinally:\n    return 1", True),
        ("match a:\n    case 1:\n        return 1\n    case _:\n        return 2", True),
        ("match a:\n    case 1:\n        return 1", False),
        ("with a:\n    return 1", False),
        ("yield 1\nreturn 2", False),
    ],
)
def test_a_function_always_returns_if_its_end_is_never_reached(body, expected):
    followed = Followed("def _f(a):\n" + "".join(f"    {one}\n" for one in body.splitlines()))

    assert (followed.edges.why_not_returned(followed.context("_f")) is None) is expected


def test_programs_out_of_sight_are_noted_and_not_refused():
    followed = Followed(dedent(PROGRAM).replace("_made", "made"))

    calls = followed.edges.calls_of(followed.context("made"))
    assert [ast.unparse(one.call) for one in calls] == ["made(flag)"]
    assert list(followed.edges.outside) == ["made"]


def test_the_receiver_is_given_to_the_first_parameter():
    followed = Followed(
        """
        class _A:
            def _read(self): ...
            def _run(self):
                self._read()
        """
    )
    (edge,) = followed.edges.calls_of(followed.context("_read"))

    assert ast.unparse(edge.argument_for(edge.into.function.args.args[0])) == "self"


def test_nodes_stand_behind_those_that_they_follow():
    order = reverse_postorder("a", {"a": "bc", "b": "d", "c": "d", "d": "a"}.__getitem__)

    assert order[0] == "a"
    assert order[-1] == "d"
    assert sorted(order) == ["a", "b", "c", "d"]
