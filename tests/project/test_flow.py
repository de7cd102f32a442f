from __future__ import annotations

import ast
import contextlib
import random
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import module_of, program
from random_functions import Raised, Run, Stop, Value, random_function

from awaken.project.values.domain import Unknown
from awaken.project.values.local.flow import flow_of

HELD = []
"""The modules of the flows, which hold them weakly."""


def flow(source):
    """Return the facts about the function ``f`` of a file."""
    module = module_of(program({"app.py": source}), "app.py")
    HELD.append(module)
    function = next(n for n in module.walk() if getattr(n, "name", "") == "f")
    return flow_of(module, function)


def at(facts, line, name="q"):
    """Return the reads of ``name`` in a line of the file."""
    return [read for read in facts.reads(name) if read.lineno == line]


def lines(facts, line, name="q"):
    """Return the lines of the definitions that the reads of one line may see."""
    found = []
    for read in at(facts, line, name):
        reaching = facts.reaching(read)
        assert isinstance(reaching, tuple), reaching
        found += [one.node.lineno for one in reaching]
    return found


CASES = {
    "if without else": (
        """
        def f(s, name):
            q = s.query(A)
            if name:
                q = q.filter(A.name == name)
            return q.all()
        """,
        {5: [3], 6: [3, 5]},
    ),
    "if with else and elif": (
        """
        def f(kind):
            if kind == 1:
                q = 1
            elif kind == 2:
                q = 2
            else:
                q = 3
            q
        """,
        {9: [4, 6, 8]},
    ),
    "a branch that leaves": (
        """
        def f(kind):
            if kind:
                q = 1
            elif kind is None:
                raise ValueError
            else:
                return
            q
        """,
        {9: [4]},
    ),
    "for with else and break": (
        """
        def f(names):
            q = 1
            for name in names:
                if name:
                    q = 2
                    break
                q = q
            else:
                q
                q = 4
            q
        """,
        {8: [3, 8], 10: [3, 8], 12: [6, 11]},
    ),
    "for target": (
        "def f(qs):\n    for q, *rest in qs:\n        q\n    q",
        {3: [2], 4: [2]},
    ),
    "while true": (
        """
        def f():
            while True:
                q = 1
                if q:
                    break
            q
        """,
        {7: [4]},
    ),
    "while and continue": (
        """
        def f(more):
            q = 1
            while more(q):
                if more:
                    q = 2
                    continue
                q = 3
            q
        """,
        {4: [3, 6, 8], 9: [3, 6, 8]},
    ),
    "try": (
        """
        def f():
            q = 1
            try:
                q = 2
                q = 3
            except ValueError:
                q
            else:
                q
            finally:
                q
            q
        """,
        {8: [3, 5, 6], 10: [6], 12: [3, 5, 6], 13: [3, 5, 6]},
    ),
    "except as": (
        """
        def f():
            try:
                g()
            except ValueError as q:
                q
            q
        """,
        {6: [5], 7: []},
    ),
    "return in finally": (
        """
        def f():
            q = 1
            try:
                q = 2
                return q
            finally:
                q
            q
        """,
        {6: [5], 8: [3, 5], 9: []},
    ),
    "ways out through finally": (
        """
        def f(more):
            while True:
                q = 1
                try:
                    q = 2
                    if more:
                        break
                    q = 3
                    return q
                finally:
                    more = q
            q
        """,
        {10: [9], 12: [4, 6, 9], 13: [4, 6, 9]},
    ),
    "with may swallow": (
        """
        def f(manager):
            q = 1
            with manager() as inner:
                q = 2
                g()
                q = 3
                q
            q
        """,
        {8: [7], 9: [3, 5, 7]},
    ),
    "with as": ("def f(m):\n    with m() as q, m(q):\n        q", {2: [2], 3: [2]}),
    "match": (
        """
        def f(point):
            match point:
                case [q, 0]:
                    q
                case {"k": 1, **q} if q:
                    pass
                case str() as q:
                    pass
            q
        """,
        {5: [4], 6: [6], 10: [4, 6, 8]},
    ),
    "walrus": (
        """
        def f(s):
            q = 1
            if s and (q := s.query()):
                q
            q
            [(q := one) for one in s]
            q
        """,
        {5: [3, 4], 6: [3, 4], 8: [3, 4, 7]},
    ),
    "comprehension": (
        """
        def f(xs):
            q = 1
            [q for _ in q]
            [q for q in q]
            {q: q for _ in xs for z in q if q}
        """,
        {4: [3, 3], 5: [3], 6: [3, 3, 3, 3]},
    ),
    "augmented": ("def f():\n    q = 1\n    q += 1\n    q", {3: [2], 4: [3]}),
    "delete": ("def f(q):\n    del q\n    q", {2: [], 3: []}),
    "annotation alone": (
        "def f():\n    q: int\n    q\n    q: int = 1\n    q",
        {3: [], 5: [4]},
    ),
    "imports and definitions": (
        """
        def f():
            import q.r
            q
            from m import x as q
            q
            def q(): pass
            q
            class q: pass
            q
        """,
        {4: [3], 6: [5], 8: [7], 10: [9]},
    ),
    "unpacking": ("def f(p):\n    (q, p.x), *p[0] = p\n    q", {3: [2]}),
    "defaults and decorators": (
        """
        def f(q):
            q = q
            @q
            def inner(a=q) -> q: pass
            lambda b=q: b
        """,
        {4: [3], 5: [3, 3], 6: [3]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_reaching_definitions(name):
    source, expected = CASES[name]
    facts = flow(dedent(source))

    assert {line: lines(facts, line) for line in expected} == expected


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def f(q):\n    q = 1\n    def g():\n        return q\n    return g", "inside this one"),
        ("def f(q):\n    q = 1\n    return lambda: q", "may run at any time"),
        ("def f(q):\n    q = 1\n    return (q for _ in [1])", "may run at any time"),
        ("def f(q):\n    q = 1\n    class C:\n        x = q", "may run at any time"),
        ("def f():\n    q = 1\n    def g():\n        nonlocal q\n        q = 2\n    q", "rebound"),
        ("def f():\n    global q\n    q = 1\n    q", "no local name"),
        ("q = 1\ndef f():\n    q", "no local name"),
    ],
)
def test_what_runs_elsewhere_is_unknown(source, why):
    facts = flow(source)
    module_reads = [n for n in ast.walk(HELD[-1].tree) if isinstance(n, ast.Name)]
    read = [n for n in module_reads if n.id == "q" and isinstance(n.ctx, ast.Load)][-1]

    found = facts.reaching(read)

    assert isinstance(found, Unknown)
    assert why in found.why
    assert found.place.path == "app.py"


def test_reads_that_a_definition_reaches():
    facts = flow(
        """
        def f(s, a):
            q = s.query(A)
            p = q.filter(1)
            if a:
                q = p
            return q, p
        """
    )
    first, second = facts.definitions("q")

    assert [read.lineno for read in facts.reads_of(first)] == [4, 7]
    assert [read.lineno for read in facts.reads_of(second)] == [7]
    assert [one.node.lineno for one in facts.definitions("p")] == [4]


def test_a_captured_name_reaches_what_is_not_seen():
    facts = flow("def f(q):\n    q = 1\n    q\n    return lambda: q")

    assert isinstance(facts.reads_of(facts.definitions("q")[0]), Unknown)


def test_a_captured_name_with_a_single_value_has_it_at_any_time():
    facts = flow("def f():\n    q = 1\n    q\n    return lambda: q")
    inline, captured = facts.reads_of(facts.definitions("q")[0])

    assert [facts.runs_in_order(read) for read in (inline, captured)] == [True, False]
    assert facts.reaching(captured) == facts.definitions("q")


def test_a_captured_name_that_is_deleted_has_no_single_value():
    facts = flow("def f():\n    q = 1\n    del q\n    return lambda: q")

    assert isinstance(facts.reads_of(facts.definitions("q")[0]), Unknown)


def test_outdated_reads():
    facts = flow(
        """
        def f(sessions):
            s = 0
            q = s
            q
            for s in sessions:
                q
                q = s
                q
            q
            s = 1
            q
        """
    )
    changes = [one.node for one in facts.definitions("s")]

    found = facts.outdated_reads("q", changes)

    assert sorted(read.lineno for read in found) == [7, 12]
    assert not facts.outdated_reads("q", [])


def test_deep_trees_need_no_deep_stack():
    chain = " + ".join(["q"] * 150)
    branches = "".join(f"    elif q == {n}:\n        q = {n}\n" for n in range(60))
    facts = flow(f"def f(q):\n    x = {chain}\n    if q:\n        pass\n{branches}    q\n")

    assert len(lines(facts, 5 + 2 * 60)) == 61


def ids_of(rng):
    source = random_function(rng)
    return source, flow(source.replace("def function", "def f"))


@given(st.randoms(use_true_random=False), st.integers(0, 2**32))
@settings(max_examples=120, deadline=None, derandomize=True)
@pytest.mark.slow
def test_every_value_seen_is_among_the_reaching_definitions(rng, seed):
    source, facts = ids_of(rng)
    namespace = {}
    exec(compile(source, "function", "exec"), namespace)
    changes = (
        [one.node for one in known]
        if not isinstance(known := facts.definitions("s"), Unknown)
        else []
    )
    seen = set()
    for number in range(8):
        run = Run(random.Random(f"{seed}/{number}"))
        with contextlib.suppress(Raised, Stop, NameError, TypeError, AttributeError):
            namespace["function"](run, Value(1, 0))
        seen |= set(run.reads)

    for line, name, made, outdated in seen:
        for read in at(facts, line, name):
            reaching = facts.reaching(read)
            if isinstance(reaching, Unknown):
                continue
            exceptions = [one for one in reaching if one.kind == "except"]
            known = {one.node.lineno for one in reaching}
            assert made in known or exceptions, (source, line, name, made)
            if outdated and name != "s" and not exceptions:
                assert read in facts.outdated_reads(name, changes), (source, line, name)
