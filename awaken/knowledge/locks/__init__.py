"""The knowledge about locks and semaphores: which functions and classes make one.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_table

Guarding = Literal["lock", "semaphore"]
"""A ``lock`` lets one in at a time, a ``semaphore`` a number of them."""


class _Locks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Qualified names of functions that make a lock.

    - ``locks``, ``semaphores``: those that tasks wait for with ``async with``.
    - ``thread_locks``, ``thread_semaphores``: those that threads wait for with ``with``.
    - ``reentrant``: of ``thread_locks`` those that their holder may take again.
    """

    source: str
    locks: tuple[str, ...]
    semaphores: tuple[str, ...]
    thread_locks: tuple[str, ...]
    thread_semaphores: tuple[str, ...]
    reentrant: tuple[str, ...]


class Locks:
    """``kinds`` says what each name makes, ``of_tasks`` which of them are for tasks."""

    def __init__(self, table: _Locks) -> None:
        self.kinds: dict[str, Guarding] = {
            **dict.fromkeys((*table.locks, *table.thread_locks), "lock"),
            **dict.fromkeys((*table.semaphores, *table.thread_semaphores), "semaphore"),
        }
        self.of_tasks = frozenset((*table.locks, *table.semaphores))
        self.reentrant = frozenset(table.reentrant)
        self.words = frozenset(name.rpartition(".")[2] for name in self.kinds)


@cache
def locks() -> Locks:
    """Return what the TOML file of this package says.

    Raises msgspec.ValidationError where it does not have the form of a table of locks.
    """
    return Locks(read_table(__name__, "locks.toml", _Locks))
