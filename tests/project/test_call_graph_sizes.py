"""The work of the call graph: it grows with the program, and has limits."""

from __future__ import annotations

import pytest
from growth import steps
from programs import program


def _chain(size):
    """Return classes that inherit from each other, each with the same method that calls itself."""
    return "class C0:\n    def save(self): self.save()\n" + "".join(
        f"class C{n}(C{n - 1}):\n    def save(self): self.save()\n" for n in range(1, size)
    )


def _subclasses(size):
    return "class B:\n    def save(self): self.save()\n" + "".join(
        f"class C{n}(B):\n    def save(self): self.save()\n" for n in range(size)
    )


def _circle(size):
    return "".join(f"def f{n}(): f{(n + 1) % size}()\n" for n in range(size))


def _protocols(size):
    return "from typing import Protocol\n" + "".join(
        f"class P{n}(Protocol):\n    def save(self): ...\n"
        f"class C{n}:\n    def save(self): ...\ndef f{n}(p: P{n}): p.save()\n"
        for n in range(size)
    )


def _many_calls(size):
    return "def save(): ...\n" + "".join(f"def f{n}(): save()\n" for n in range(size))


@pytest.mark.parametrize("shape", [_subclasses, _circle, _many_calls])
def test_steps_grow_with_the_program(shape):
    def build(size):
        graph = program({"m.py": shape(size)}).calls.graph()
        assert graph.reachable(graph.functions())

    assert steps(lambda: build(400)) < 1.3 * 4 * steps(lambda: build(100))


@pytest.mark.parametrize("shape", [_chain, _protocols])
def test_families_of_a_large_program_are_bounded(shape, monkeypatch):
    """Each class may have a family of all the others, up to a size."""
    monkeypatch.setattr("awaken.project.graph.forwards.call_graph_building._MOST_METHODS", 200)
    graph = program({"m.py": shape(240)}).calls.graph()

    assert "unknown" in {one.kind for one in graph.calls()}


@pytest.mark.slow
def test_a_chain_of_calls_of_any_length_is_reachable():
    text = "".join(f"def f{n}(): f{n + 1}()\n" for n in range(5000)) + "def f5000(): ...\n"
    graph = program({"m.py": text}).calls.graph()

    first = [one for one in graph.functions() if one.qualname == "f0"]
    assert len(graph.reachable(first)) == 5001
