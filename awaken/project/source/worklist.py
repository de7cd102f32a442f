"""Worklists, and the orders in which the items of a graph are gone through. Nothing recurses."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from math import inf
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Node = TypeVar("Node", bound=Hashable)

# A worklist ends by itself. These keep n questions about a program of n functions from n times n
# steps. The answer to a question that reaches one is that something is unknown.
MOST_FUNCTIONS = 300  # whose bodies are read; real programs take up to 150 (benchmarks/limits.md)
MOST_FILES = 300  # that are parsed for a name; one in more files is the name of many things
MOST_STEPS = 500  # expressions, calls and places on the way
MOST_NODES = 50_000  # of one function or template; the longest of real programs has 9,000
LONGEST_PATH = 4  # attributes from one mapped object to another
LONGEST_TEXT = 400_000  # characters of a template; of 2,254 in 20 programs the longest has 188,436


class Worklist(Generic[Item]):
    """Items to go through, each once; the loop over them adds more with ``+=``.

    The item that was added last comes first. ``key`` identifies an item, where equality does not.
    With a ``limit`` the loop ends after that many items.
    """

    def __init__(
        self,
        items: Iterable[Item],
        key: Callable[[Item], Hashable] | None = None,
        limit: float = inf,
    ) -> None:
        self._key = key or (lambda item: item)
        self._limit = limit
        self._waiting = deque[Item]()
        self.seen: dict[Hashable, Item] = {}
        """The items that the loop got, in their order, by their keys."""
        self += items

    def __iter__(self) -> Iterator[Item]:
        while self._waiting and len(self.seen) < self._limit:
            item = self._waiting.pop()
            key = self._key(item)
            if key not in self.seen:
                self.seen[key] = item
                yield item

    def __iadd__(self, items: Iterable[Item]) -> Self:
        self._waiting += items
        return self

    @property
    def is_done(self) -> bool:
        """Whether the loop got all items; False if the limit ended it before."""
        return all(self._key(item) in self.seen for item in self._waiting)


class Queue(Worklist[Item]):
    """A worklist of which the item that was added first comes first: breadth first.

    ``seen`` has the items that were added.
    """

    def __iter__(self) -> Iterator[Item]:
        while self._waiting and self._limit > 0:
            self._limit -= 1
            yield self._waiting.popleft()

    def __iadd__(self, items: Iterable[Item]) -> Self:
        for item in items:
            key = self._key(item)
            if key not in self.seen:
                self.seen[key] = item
                self._waiting.append(item)
        return self

    @property
    def is_done(self) -> bool:
        """Whether the loop got all items; False if the limit ended it before."""
        return not self._waiting


def reachable(starts: Iterable[Node], following: Callable[[Node], Iterable[Node]]) -> set[Node]:
    """Return ``starts`` and all items that follow one of them, over any number of steps."""
    waiting, seen = [*starts], set[Node]()
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            waiting += following(item)
    return seen


def preorder(starts: Iterable[Item], below: Callable[[Item], Iterable[Item]]) -> Iterator[Item]:
    """Yield the items of trees, each before those ``below`` it, in their order."""
    stack = [*starts][::-1]
    while stack:
        item = stack.pop()
        yield item
        stack += [*below(item)][::-1]


def reverse_postorder(
    first: Iterable[Node], following: Callable[[Node], Sequence[Node]]
) -> list[Node]:
    """Return all nodes of a graph, each after those that it follows, except in circles.

    ``first`` are nodes to begin at, the last one first; they come first.
    """
    nodes: list[Node] = []
    seen: set[Node] = set()
    for begin in first:
        stack = [] if begin in seen else [(begin, reversed(following(begin)))]
        seen.add(begin)
        while stack:
            node, rest = stack[-1]
            for other in rest:
                if other not in seen:
                    seen.add(other)
                    stack += ((other, reversed(following(other))),)
                    break
            else:
                nodes += (node,)
                stack.pop()
    return nodes[::-1]


def components(
    first: Iterable[Node], following: Callable[[Node], Iterable[Node]]
) -> Iterator[list[Node]]:
    """Yield the strongly connected components of a graph, by Tarjan's algorithm.

    One comes after those that it leads to, its nodes in the order of the search. ``following`` is
    read lazily: the next node after the components that the last one leads to.
    """
    order: dict[Node, float] = {}  # when a node was reached; infinite once its component is known
    lowest: dict[Node, float] = {}  # the earliest open node that one leads to
    opened: list[Node] = []
    path: list[tuple[Node, Iterator[Node]]] = []

    def enter(node: Node) -> None:
        order[node] = lowest[node] = len(order)
        opened.append(node)
        path.append((node, iter(following(node))))

    for begin in first:
        if begin not in order:
            enter(begin)
        while path:
            node, rest = path[-1]
            for other in rest:
                if other not in order:
                    enter(other)
                    break
                lowest[node] = min(lowest[node], order[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    component = [opened.pop()]
                    while component[-1] != node:
                        component.append(opened.pop())
                    order.update(dict.fromkeys(component, inf))
                    yield component[::-1]


def groups_of(items: Iterable[Item], key: Callable[[Item], Key]) -> defaultdict[Key, list[Item]]:
    """Return the items that have each key, in their order, by the keys; of others none."""
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def multimap(pairs: Iterable[tuple[Key, Item]]) -> defaultdict[Key, list[Item]]:
    """Return the second items of pairs, in their order, by the first ones; of others none."""
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for key, item in pairs:
        groups[key].append(item)
    return groups
