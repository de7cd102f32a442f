"""Functions that look at a function do not call it."""

from __future__ import annotations

import inspect

import pytest

from awaken.knowledge.library_names import library_names

LOOKING = sorted(name for name in library_names().looking if name.startswith("inspect."))


@pytest.mark.parametrize("name", LOOKING)
def test_a_function_of_inspect_that_looks_at_a_function_does_not_call_it(name):
    calls = []

    def looked_at(first, second=1):
        calls.append((first, second))

    getattr(inspect, name.rpartition(".")[2])(looked_at)

    assert calls == []


@pytest.mark.parametrize(
    "name", sorted(set(LOOKING).intersection(library_names().reading_signatures))
)
def test_a_function_that_reads_signatures_tells_other_parameters_apart(name):
    def one(first):
        return first

    def other(first, second=1):
        return first, second

    read = getattr(inspect, name.rpartition(".")[2])

    assert read(one) != read(other)
