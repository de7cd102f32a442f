"""Knowledge about sessions: effects of their methods, and libraries that configure them.

The TOML files of this folder, typed; each names the source of its rows.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_table

SessionEvent = Literal["commit", "rollback", "expire", "refresh", "flush", "close", "detach"]
"""``detach`` takes objects out of the session, ``close`` does so with all of them."""


class _Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """- ``classes``: the classes that have the ``methods``; each event lists those that cause it.
    - ``functions``: functions that cause an event. ``blocks``: methods that give a context manager
      that causes an event when it is left. ``running``: beginnings of the names of functions that
      run the program itself, such as those of test clients.
    """

    source: str
    classes: tuple[str, ...]
    methods: dict[SessionEvent, tuple[str, ...]]
    functions: dict[str, SessionEvent]
    blocks: dict[SessionEvent, tuple[str, ...]]
    running: tuple[str, ...]


class SessionEvents:
    """By qualified name: the effects of a call, and of leaving its block."""

    def __init__(self, known: _Events) -> None:
        self.calls: dict[str, SessionEvent] = dict(known.functions)
        self.blocks: dict[str, SessionEvent] = {}
        self.classes = frozenset(known.classes)
        self.methods: dict[str, SessionEvent] = {}
        self.running = known.running
        for owner in known.classes:
            for event, methods in known.methods.items():
                self.methods |= dict.fromkeys(methods, event)
                self.calls |= {f"{owner}.{method}": event for method in methods}
            for event, methods in known.blocks.items():
                self.blocks |= {f"{owner}.{method}": event for method in methods}


@cache
def session_events() -> SessionEvents:
    """Return the facts of the methods of sessions."""
    return SessionEvents(read_table(__name__, "events.toml", _Events))


class _Configurations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """- ``sessions``: classes of ``modules`` whose calls take the options of asynchronous sessions.
    - ``configured_by``: classes that make such sessions, and the argument with their options.
    """

    source: str
    modules: tuple[str, ...]
    sessions: tuple[str, ...]
    configured_by: dict[str, str]


class SessionConfigurations:
    """By qualified name: what takes options of asynchronous sessions, and what is given those."""

    def __init__(self, known: _Configurations) -> None:
        self.sessions = {f"{module}.{name}" for module in known.modules for name in known.sessions}
        self.configured_by = {
            f"{module}.{name}": argument
            for module in known.modules
            for name, argument in known.configured_by.items()
        }


@cache
def session_configurations() -> SessionConfigurations:
    """Return the facts of extensions that make asynchronous sessions."""
    return SessionConfigurations(read_table(__name__, "configurations.toml", _Configurations))
