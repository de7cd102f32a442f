"""Items that are still to be looked at, for loops that find more of them; groups of items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


class Worklist(Generic[Item]):
    """Items to go through, each once; the loop over them adds more with ``+=``.

    The item that was added last comes first. ``key`` identifies an item, where equality does not.
    """

    def __init__(
        self, items: Iterable[Item], key: Callable[[Item], Hashable] | None = None
    ) -> None:
        self._waiting = [*items]
        self._key = key
        self.seen: dict[Hashable, Item] = {}
        """The items that the loop got, in their order, by their keys."""

    def __iter__(self) -> Iterator[Item]:
        while self._waiting:
            item = self._waiting.pop()
            key = item if self._key is None else self._key(item)
            if key not in self.seen:
                self.seen[key] = item
                yield item

    def __iadd__(self, items: Iterable[Item]) -> Self:
        self._waiting += items
        return self


def reached(starts: Iterable[Item], following: Callable[[Item], Iterable[Item]]) -> set[Item]:
    """Return ``starts`` and all items that follow one of them, over any number of steps."""
    waiting = Worklist(starts)
    for item in waiting:
        waiting += following(item)
    return set(waiting.seen.values())


def groups_of(items: Iterable[Item], key: Callable[[Item], Key]) -> defaultdict[Key, list[Item]]:
    """Return the items that have each key, in their order, by the keys; of others none."""
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
