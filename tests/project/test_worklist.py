"""Worklists and graphs: what they give is what the definition says, on random graphs."""

from __future__ import annotations

import random

import pytest

from awaken.project.source.worklist import (
    Queue,
    Worklist,
    components,
    preorder,
    reachable,
    reverse_postorder,
)


def graph_of(seed):
    """Return a random graph: for each node those that follow it."""
    rng = random.Random(seed)
    size = rng.randint(1, 9)
    return {node: rng.choices(range(size), k=rng.randint(0, 3)) for node in range(size)}


@pytest.mark.parametrize("seed", range(100))
def test_components_lead_to_each_other_and_come_after_those_that_they_lead_to(seed):
    graph = graph_of(seed)
    below = {node: reachable([node], graph.__getitem__) for node in graph}
    parts = list(components(graph, graph.__getitem__))

    assert sorted(node for part in parts for node in part) == sorted(graph)
    for index, part in enumerate(parts):
        assert all(set(part) == {o for o in below[node] if node in below[o]} for node in part)
        assert below[part[0]] <= {node for before in parts[: index + 1] for node in before}


def test_a_search_goes_on_when_the_components_below_are_yielded():
    done = set()

    def following(node):
        for other in range(node + 1, 4):
            yield other
            assert other in done

    for part in components([0], following):
        done.update(part)

    assert done == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", range(50))
def test_a_node_comes_after_those_that_it_follows_outside_of_circles(seed):
    graph = graph_of(seed)
    order = reverse_postorder(graph, graph.__getitem__)
    below = {node: reachable([node], graph.__getitem__) for node in graph}

    assert sorted(order) == sorted(graph)
    for node, following in graph.items():
        for other in following:
            assert node in below[other] or order.index(node) < order.index(other)


def test_a_chain_of_any_length_is_no_recursion():
    size = 20_000
    following = {node: [node + 1] if node + 1 < size else [] for node in range(size)}

    assert len(list(components([0], following.__getitem__))) == size
    assert reverse_postorder([0], following.__getitem__) == list(range(size))
    assert list(preorder([0], following.__getitem__)) == list(range(size))


@pytest.mark.parametrize(("kind", "order"), [(Worklist, "acebd"), (Queue, "abcde")])
def test_items_come_once_in_the_order_of_the_kind(kind, order):
    following = {"a": "bc", "b": "d", "c": "e", "d": "a", "e": "b"}
    waiting = kind("a")
    got = []
    for item in waiting:
        got.append(item)
        waiting += following[item]

    assert "".join(got) == order
    assert waiting.is_done
    assert list(waiting.seen) == got


@pytest.mark.parametrize("kind", [Worklist, Queue])
def test_a_limit_ends_the_loop(kind):
    waiting = kind(range(5), limit=3)

    assert len(list(waiting)) == 3
    assert not waiting.is_done
    exact = kind(range(3), limit=3)
    assert len(list(exact)) == 3
    assert exact.is_done


@pytest.mark.parametrize("kind", [Worklist, Queue])
def test_a_key_tells_which_items_are_one(kind):
    same = "one"

    assert len(list(kind([same, same, "ONE"], str.lower))) == 1


def test_parts_come_before_their_parts_in_order():
    parts = {"f": "ab", "a": "xy", "b": "z"}

    assert "".join(preorder("fg", lambda item: parts.get(item, ""))) == "faxybzg"
