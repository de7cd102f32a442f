"""The payloads of this rule's rewriters."""

from __future__ import annotations

from msgspec import Struct

BRIDGE = "bridge"
DELEGATE = "delegate"
ENCLOSE = "enclose"
HOIST = "hoist"
REMOVE = "remove"
REPLACE = "replace"
WRAP = "wrap"


class Hoisted(Struct, frozen=True):
    """An expression that gets a statement of its own, in front of the one that uses it.

    From the value of that statement ``steps`` lead down to it: of attributes, calls and operators
    to what stands first in them. ``name`` is what takes its result.
    """

    name: str
    steps: int


class Delegated(Struct, frozen=True):
    """A ``yield from`` that becomes a loop; ``item`` is its variable."""

    item: str
    is_asynchronous: bool


class Replaced(Struct, frozen=True):
    """Statements in the place of one, as code."""

    code: str


class Removed(Struct, frozen=True):
    """A statement that goes."""


class Wrapped(Struct, frozen=True):
    """A call whose argument becomes the argument of ``function``; ``keyword`` or the first one."""

    function: str
    keyword: str = ""


class Bridged(Struct, frozen=True):
    """An entry point that runs a coroutine function of this ``name``, which gets its body.

    ``run`` is the expression that does, ``returns`` whether its value is returned, and ``begin`` a
    statement in front of it. The
    ``parameters`` and the ``returned`` annotation are code; ``decorators`` go with it as well.
    """

    name: str
    run: str
    begin: str
    parameters: str
    returned: str
    returns: bool
    decorators: tuple[str, ...]
    blank_lines: int


class Enclosed(Struct, frozen=True):
    """Statements that move into a coroutine function of this ``name``, which ``run`` runs there.

    So many statements of their block stay ``before`` and ``behind`` them. ``kept`` are the names
    that stay global. Above the block there are so many ``blank_lines``, no more than two.
    """

    name: str
    run: str
    before: int
    behind: int
    kept: tuple[str, ...]
    blank_lines: int
