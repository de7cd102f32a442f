"""Strongly connected components, found by Tarjan's algorithm without recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def components(size: int, following: Callable[[int], Iterator[int]]) -> Iterator[list[int]]:
    """Yield the strongly connected components of the numbers below ``size``.

    ``following`` gives the numbers that one leads to. They come after what they lead to.
    """
    search = _Search(size, following)
    for number in range(size):
        if search.order[number] < 0:
            yield from search.below(number)


class _Search:
    """One search: ``order`` is when a number was reached, -1 if it was not."""

    def __init__(self, size: int, following: Callable[[int], Iterator[int]]) -> None:
        self.order = [-1] * size
        self._lowest = [0] * size
        self._following = following
        self._open: list[int] = []
        self._is_open = [False] * size
        self._count = 0
        self._asking: list[tuple[int, Iterator[int]]] = []

    def below(self, root: int) -> Iterator[list[int]]:
        """Yield the components that ``root`` leads to, its own last."""
        self._enter(root)
        while self._asking:
            number, following = self._asking[-1]
            other = next(following, None)
            if other is None:
                self._asking.pop()
                if self._asking:
                    above = self._asking[-1][0]
                    self._lowest[above] = min(self._lowest[above], self._lowest[number])
                if self._lowest[number] == self.order[number]:
                    yield self._close(number)
            elif self.order[other] < 0:
                self._enter(other)
            elif self._is_open[other]:
                self._lowest[number] = min(self._lowest[number], self.order[other])

    def _enter(self, number: int) -> None:
        self.order[number] = self._lowest[number] = self._count
        self._count += 1
        self._open.append(number)
        self._is_open[number] = True
        self._asking.append((number, self._following(number)))

    def _close(self, number: int) -> list[int]:
        component = [self._open.pop()]
        while component[-1] != number:
            component.append(self._open.pop())
        for item in component:
            self._is_open[item] = False
        return component
