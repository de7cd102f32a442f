"""Sets of exceptions that may leave a piece of code, and what a handler takes out of them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from awaken.contract import Place
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project.names.classes import Classes

_MOST = 20  # a message names one; more would only be kept
Caught = Literal["always", "maybe", "never"]
_EVERYTHING = {"builtins.BaseException", "builtins.Exception"}
NOT_ERRORS = {
    "asyncio.CancelledError",
    "asyncio.exceptions.CancelledError",
    "builtins.GeneratorExit",
    "builtins.KeyboardInterrupt",
    "builtins.SystemExit",
    "concurrent.futures.CancelledError",
}
"""What ends a task or a program on purpose: no Exception."""
# Names of one class, for those of asyncio and socket since Python 3.11 and 3.10.
_RENAMED = {
    "asyncio.TimeoutError": "builtins.TimeoutError",
    "builtins.EnvironmentError": "builtins.OSError",
    "builtins.IOError": "builtins.OSError",
    "socket.timeout": "builtins.TimeoutError",
}


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that may leave the code: its class, and where it is raised.

    ``chain`` are the calls that lead there from the code that was asked about.
    """

    exception: str
    place: Place
    chain: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Raises:
    """What may leave a piece of code: one ``known`` for each class of exception, in source order.

    ``unknown`` says of what else it cannot be told that it raises nothing; any Exception may come
    from there. At most 20 of each are named: what else is known counts as unknown.
    """

    known: tuple[Raised, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether it is proven that no Exception leaves the code."""
        return not self.known and not self.unknown

    def through(self, call: Place) -> Raises:
        """Return the same as seen by the code that makes ``call``."""
        known = tuple(replace(one, chain=(call, *one.chain)) for one in self.known)
        return Raises(known, self.unknown)


NOTHING = Raises()


def together(parts: Iterable[Raises]) -> Raises:
    """Return what may leave any of ``parts``."""
    known: dict[str, Raised] = {}
    unknown: dict[Unknown, None] = {}
    for part in parts:
        for one in part.known:
            known.setdefault(one.exception, one)
        unknown |= dict.fromkeys(part.unknown)
    if not known and not unknown:
        return NOTHING
    for one in tuple(known.values())[_MOST : _MOST + 1]:
        # Else a handler that catches all that are named would seem to catch everything.
        unknown = {
            Unknown("more exceptions than are followed may be raised", one.place): None,
            **unknown,
        }
    return Raises(tuple(known.values())[:_MOST], tuple(unknown)[:_MOST])


class Hierarchy:
    """Which exceptions a handler catches."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes

    def split(self, raises: Raises, catches: tuple[str | None, ...]) -> tuple[Raises, Raises]:
        """Return what a handler of the classes ``catches`` may get of ``raises``, and what stays.

        What it may get or not is in both.
        """
        if self.is_everything(catches):
            return raises, NOTHING
        how = {one: self._caught(one.exception, catches) for one in raises.known}
        got = tuple(one for one, caught in how.items() if caught != "never")
        stays = tuple(one for one, caught in how.items() if caught != "always")
        # Unknown is any Exception, and a handler of cancellation alone gets none.
        maybe = raises.unknown if any(one not in NOT_ERRORS for one in catches) else ()
        return Raises(got, maybe), Raises(stays, raises.unknown)

    def is_everything(self, catches: tuple[str | None, ...]) -> bool:
        """Whether a handler of these classes catches every Exception."""
        return any(one in _EVERYTHING for one in catches)

    def _caught(self, exception: str, catches: tuple[str | None, ...]) -> Caught:
        ancestors, complete = self._ancestors(exception)
        if any(one is not None and _RENAMED.get(one, one) in ancestors for one in catches):
            return "always"
        return "never" if complete and None not in catches else "maybe"

    def _ancestors(self, exception: str) -> tuple[set[str], bool]:
        """Return the class and what it inherits, and whether that is all of it."""
        found, complete = set[str](), True
        waiting = [exception]
        while waiting:
            name = waiting.pop()
            name = _RENAMED.get(name, name)
            found.add(name)
            ancestors = self._classes.ancestors(name)
            if ancestors is not None:
                found |= {facts.qualified for facts in ancestors.inside}
                complete = complete and not ancestors.unresolved
                waiting += [one for one in ancestors.outside if one not in found]
            elif name.startswith("builtins."):
                made = getattr(builtins, name.removeprefix("builtins."), object)
                found |= {f"builtins.{one.__name__}" for one in made.__mro__}
            else:
                complete = False
        return found, complete
