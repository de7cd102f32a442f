"""Knowledge about coroutines: functions that return them, and functions that consume them.

The TOML files of this folder, typed; each names the source of its rows.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_tables

Awaitable = Literal["coroutine", "task", "future", "awaitable"]
"""A ``coroutine`` runs when it is awaited, and only then; a ``task`` runs by itself; a ``future``
is done by others; an ``awaitable`` is any of these, or has ``__await__``."""

Taking = Literal["runs", "starts", "wraps", "asks", "calls"]


class Taker(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Functions and methods that do something with coroutines, and the arguments that are such.

    ``does``: it ``runs`` a coroutine to its end, ``starts`` it concurrently, ``wraps`` it, so that
    awaiting the result runs it, ``asks`` for its kind, or ``calls`` its argument, which has to be a
    function.

    ``positions`` are the positions of these arguments, ``keyword`` the name of the first;
    ``all`` says that every positional argument is one. With ``items`` the argument is an iterable
    of them.
    """

    names: tuple[str, ...]
    does: Taking
    positions: tuple[int, ...] = (0,)
    keyword: str = ""
    all: bool = False
    items: bool = False


class _Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One library.

    - ``coroutines``: functions and methods that return a coroutine; ``tasks`` and ``futures``
      those that return such.
    - ``weak``: of ``tasks`` those that nobody holds: a task that is not kept may be collected.
    - ``classes``: classes whose instances are awaitable.
    - ``takers``: what becomes of a coroutine that is passed.
    """

    source: str
    coroutines: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    futures: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    classes: dict[str, Awaitable] = {}
    takers: tuple[Taker, ...] = ()


class Coroutines:
    """All libraries together."""

    def __init__(self, libraries: tuple[_Library, ...]) -> None:
        self.gives: dict[str, Awaitable] = {}
        self.weak: set[str] = set()
        self.classes: dict[str, Awaitable] = {}
        self.takers: dict[str, Taker] = {}
        for library in libraries:
            self.gives |= dict.fromkeys(library.coroutines, "coroutine")
            self.gives |= dict.fromkeys(library.tasks, "task")
            self.gives |= dict.fromkeys(library.futures, "future")
            self.weak.update(library.weak)
            self.classes |= library.classes
            for taker in library.takers:
                self.takers |= dict.fromkeys(taker.names, taker)


@cache
def coroutines() -> Coroutines:
    """Return what the TOML files of this package say.

    Raises msgspec.ValidationError where a file does not have the form of a library.
    """
    return Coroutines(read_tables(__name__, _Library))
