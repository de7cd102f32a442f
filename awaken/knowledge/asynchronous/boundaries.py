"""The process and the thread in which code runs, before or after the start of a loop.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_table

Where = Literal["command", "process", "server", "consumer", "task", "hook", "thread", "exit"]


class Commands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``decorators`` of functions where a process begins; ``groups`` make what has such.

    ``invoking`` are the functions by which tests call them.
    """

    decorators: tuple[str, ...]
    groups: dict[str, str]
    invoking: tuple[str, ...]


class Tasks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``decorators`` of functions that a worker calls, one after the other in a process.

    Those of ``threaded`` are called in threads. ``bound`` is the argument that has the task itself
    passed first. ``running`` are methods of a task that call its function with their arguments,
    ``applying`` other attributes by which it is called here; ``traced`` calls hooks around it, too.
    With ``eager`` settings a task runs at once where it is sent. So it does with ``queues`` that
    are made with an argument which is not true. ``interrupting`` exceptions may be raised anywhere
    in its code.
    """

    decorators: tuple[str, ...]
    threaded: tuple[str, ...]
    bound: str
    running: tuple[str, ...]
    applying: tuple[str, ...]
    traced: str
    eager: tuple[str, ...]
    queues: dict[str, str]
    interrupting: tuple[str, ...]


class Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Functions that receive a function: the argument, and the place where it is called.

    Without an ``argument``, each keyword may be one. A ``consumer`` is called while its thread
    ``waits`` in one of these methods. Instances of a ``keeper`` have what any keyword gives as an
    attribute.
    """

    function: str
    kind: Where
    argument: str = ""
    position: int = -1
    waits: tuple[str, ...] = ()
    keeper: str = ""


class Overridden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``methods`` that classes below ``bases`` give, and that a thread or a process calls."""

    bases: tuple[str, ...]
    methods: tuple[str, ...]
    kind: Where


class Overrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which methods a class gives for its base to call, by patterns of names.

    ``hooks`` are those of a base, and nothing awaits them; ``awaited`` are methods with their base,
    and ``plain`` are bases that call no method of their heirs by a name of its own. pytest calls
    what is named like ``collected`` ones, and in files of tests what is named as ``set_up``. A
    fixture may take the place of those in ``fixture_scopes``, with the scope that it has there.
    """

    awaited: tuple[str, ...]
    plain: tuple[str, ...]
    collected: tuple[str, ...]
    set_up: tuple[str, ...]
    fixture_scopes: dict[str, str]
    hooks: dict[str, tuple[str, ...]]


class Scheduler(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scheduler that runs jobs in threads, with its ``twin`` that runs them in a loop.

    ``jobs`` are the methods that are passed one, ``decorators`` those that decorate one; ``starts``
    those that need a loop there. The ``options`` of a call, and the methods ``configuring``, choose
    who runs the jobs. The twin starts again in another loop ``since`` a version.
    """

    name: str
    twin: str
    since: str
    jobs: tuple[str, ...]
    decorators: tuple[str, ...]
    starts: tuple[str, ...]
    options: tuple[str, ...]
    configuring: tuple[str, ...]


class Workers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Classes of workers that run several jobs in one event loop.

    ``starting`` are the arguments for functions that fill the context of a job, ``together`` the
    one that says how many run at once.
    """

    names: tuple[str, ...]
    starting: tuple[str, ...]
    together: str


class Threads(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names that mean something else in the one thread of an event loop.

    ``locks`` are those without a twin for tasks. ``waits`` wait for what another function does,
    ``joins`` for another thread, which may have ``handed`` its part to the loop. Names that are
    ``outside`` cannot be called in a loop. ``local`` has attributes of each thread, ``identities``
    tell one thread from another.
    """

    locks: tuple[str, ...]
    waits: tuple[str, ...]
    joins: tuple[str, ...]
    handed: tuple[str, ...]
    outside: tuple[str, ...]
    local: tuple[str, ...]
    identities: tuple[str, ...]


class Boundaries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Code that runs functions outside of the event loop of an application.

    ``loops`` are functions that run one by themselves, and ``servers`` those among them that serve
    an application. ``migrations`` is what runs Alembic, and ``in_threads`` what calls a function in
    a thread.
    """

    source: str
    loops: tuple[str, ...]
    servers: tuple[str, ...]
    migrations: tuple[str, ...]
    in_threads: tuple[str, ...]
    threads: Threads
    commands: Commands
    tasks: Tasks
    handed: tuple[Handed, ...]
    overridden: tuple[Overridden, ...]
    overrides: Overrides
    schedulers: tuple[Scheduler, ...]
    workers: tuple[Workers, ...]


@cache
def boundaries() -> Boundaries:
    """Return the facts of where code runs."""
    return read_table("awaken.knowledge.asynchronous", "boundaries.toml", Boundaries)


@cache
def handed_by_function() -> dict[str, Handed]:
    """Return who is passed functions, by their qualified names."""
    return {argument.function: argument for argument in boundaries().handed}
