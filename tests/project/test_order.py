"""The order of evaluation in a statement, against Python itself."""

from __future__ import annotations

import ast
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import last, module_of, program


class Thing:
    """Fits everywhere: each operator gives another one, iterating gives two."""

    def __init__(self, number):
        object.__setattr__(self, "number", number)

    def __call__(self, *args, **_):
        return args[0] if args and callable(args[0]) else self

    def __getattr__(self, name):
        return self

    def __setattr__(self, name, value):
        pass

    def __delattr__(self, name):
        pass

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __delitem__(self, key):
        pass

    def __iter__(self):
        return iter([self, self])

    def keys(self):
        return []

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False

    def __format__(self, spec):
        return ""

    def __index__(self):
        return 1

    def __bool__(self):
        return bool(self.number % 2)

    def __hash__(self):
        return 1

    def _same(self, *_):
        return self

    __add__ = __iadd__ = __sub__ = __mul__ = __pow__ = __neg__ = __lt__ = __gt__ = __eq__ = _same


numbers = itertools.count()
leaves = st.builds(lambda: f"t({next(numbers)})")


def joined(*parts):
    """Return a strategy of texts with `parts`, each a text or a strategy."""
    made = [st.just(one) if isinstance(one, str) else one for one in parts]
    return st.tuples(*made).map("".join)


def larger(inner):
    return st.one_of(
        joined("(", inner, " + ", inner, ")"),
        joined("(", inner, " < ", inner, " < ", inner, ")"),
        joined("(", inner, " and ", inner, " or ", inner, ")"),
        joined("(", inner, " if ", inner, " else ", inner, ")"),
        joined("t.f(", inner, ", k=", inner, ", *", inner, ", **", inner, ")"),
        joined(leaves, "(", inner, ", ", inner, ")"),
        joined(inner, ".name"),
        joined(leaves, "[", inner, ":", inner, "]"),
        joined("[", inner, ", ", inner, "]"),
        joined("[*", inner, ", ", inner, "]"),
        joined("{", inner, ": ", inner, ", **", inner, "}"),
        joined("{", inner, ", ", inner, "}"),
        joined("[", inner, " for _ in ", inner, " if ", inner, "]"),
        joined("{", inner, ": ", inner, " for _ in ", inner, " for _ in ", inner, "}"),
        joined("(", inner, " for _ in ", inner, ")"),
        joined("(lambda a=", inner, ": ", inner, ")"),
        joined("(not ", inner, ")"),
        joined("(-", inner, ")"),
    )


expressions = st.recursive(leaves, larger, max_leaves=8)
statements = st.one_of(
    expressions,
    joined("x = ", expressions),
    joined(leaves, ".a = ", leaves, "[", leaves, "] = ", expressions),
    joined("(", leaves, ".a, [y, *", leaves, "[", leaves, "]]) = ", expressions),
    joined(leaves, "[", leaves, "] += ", expressions),
    joined(leaves, ".a -= ", expressions),
    joined("x: ", leaves, " = ", expressions),
    joined("return (y := ", expressions, ")"),
    joined("assert ", expressions, ", ", expressions),
    joined("del ", leaves, ".a, ", leaves, "[", leaves, "]"),
    joined("if ", expressions, ":\n        pass"),
    joined("while ", expressions, ":\n        break"),
    joined("for ", leaves, ".a in ", expressions, ":\n        pass"),
    joined("with ", expressions, " as ", leaves, ".a, ", expressions, ":\n        pass"),
    joined(
        "@",
        leaves,
        "\n    def g(a, b=",
        expressions,
        ", *, c=",
        expressions,
        "):\n        ",
        leaves,
    ),
    joined("@", leaves, "\n    @", leaves, "\n    class G(k=", leaves, "):\n        pass"),
)


class Tracer:
    """Stands for the name `t`: notes the number of every leaf that is evaluated."""

    def __init__(self):
        self.seen = []

    def __call__(self, number):
        self.seen.append(number)
        return Thing(number)

    def f(self, *_, **__):
        return Thing(0)


def run(text):
    tracer, scope = Tracer(), {}
    code = "def f(t):\n    x = y = None\n    " + text
    exec(compile(code, "m.py", "exec"), scope)
    try:
        scope["f"](tracer)
        complete = True
    except (AssertionError, AttributeError, TypeError, ValueError):
        complete = False
    return tracer.seen, complete


def number_of(node):
    match node:
        case ast.Call(func=ast.Name("t"), args=[ast.Constant(value=number)]):
            return number
        case _:
            return None


LATER = (ast.AnnAssign, ast.GeneratorExp, ast.Lambda)


@settings(max_examples=120, deadline=None)
@given(statements)
def test_the_order_is_that_of_python(text):
    seen, complete = run(text)
    first = {number: place for place, number in reversed(list(enumerate(seen)))}
    project = program({"m.py": "def f(t):\n    x = y = None\n    " + text + "\n"})
    module = module_of(project, "m.py")
    statement = module.tree.body[0].body[1]
    own = {
        number_of(one): one
        for one in module.walk(statement)
        if number_of(one) is not None and module.statement_of(one) is statement
    }
    orders = {number: project.effects.order(module, one) for number, one in own.items()}
    for number, node in own.items():
        order = orders[number]
        if order is None:
            # It may be called, or iterated over, within the statement or later.
            assert any(isinstance(one, LATER) for one in module.ancestors(node))
            first.pop(number, None)
    for number, order in orders.items():
        if order is None:
            continue
        assert not order.once or seen.count(number) <= 1
        assert not order.unconditional or not complete or number in first
        if number in first:
            earlier = {number_of(one) for one in order.before} - {None}
            assert {one for one, place in first.items() if place < first[number]} <= earlier
            assert all(one not in first or first[one] < first[number] for one in earlier)


PLACES = {
    "w()": (True, True, []),
    "x = w()": (True, True, []),
    "x.a = w()": (True, True, []),
    "return f(w())": (True, True, []),
    "return f(a(), w())": (True, True, ["a()"]),
    "return f(w(), a())": (True, True, []),
    "return f(k=w(), *a())": (True, True, ["a()", "*a()"]),
    "x.a += w()": (True, True, ["x.a"]),
    "return {a(): 1, 2: w()}": (True, True, ["a()"]),
    "return x.y.z(w())": (True, True, ["x.y", "x.y.z"]),
    "return x is w()": (True, True, []),
    "return x + y < w()": (True, True, ["x + y"]),
    "return a() and w()": (True, False, ["a()", "a() and w()"]),
    "return w() or a()": (True, True, []),
    "return w() if x else y": (True, False, ["w() if x else y"]),
    "return [w() for one in x]": (False, False, ["x"]),
    "return [one for one in w()]": (True, True, []),
    "return [two for one in x for two in w()]": (False, False, ["x"]),
    "return (w() for one in x)": None,
    "return (one for one in w())": (True, True, []),
    "return lambda: w()": None,
    "while w(): pass": (False, True, []),
    "for one in w(): pass": (True, True, []),
    "assert w()": (True, False, []),
    "with a() as b, w(): pass": (True, True, ["a()", "a()"]),
    "return 1 + 2 + w()": (True, True, []),
    "x: w() = 1": None,
}


@pytest.mark.parametrize("text", PLACES)
def test_what_comes_before(text):
    project = program({"m.py": f"def f(x, y, a, w, b):\n    {text}\n"})
    module = module_of(project, "m.py")
    order = project.effects.order(module, last(module, "w()"))

    found = order and (order.once, order.unconditional, [module.text_of(x) for x in order.before])
    assert found == PLACES[text]


def test_a_deep_statement_ends():
    text = "+".join(["w()"] * 80)
    project = program({"m.py": f"def f(w):\n    return {text}\n"})
    module = module_of(project, "m.py")

    order = project.effects.order(module, last(module, "w()"))

    assert order is not None
    # Each call, and each addition but the one that the last is part of.
    assert len(order.before) == 79 + 78
