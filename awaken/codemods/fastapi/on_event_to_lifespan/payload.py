"""The payloads of the rewriters: plain data."""

from __future__ import annotations

from msgspec import Struct


class Part(Struct, frozen=True, kw_only=True):
    """The part of the lifespan for one handler.

    ``code`` is a statement, or with ``is_body`` a whole function, as its file has it, whose body is
    meant. ``condition`` says whether the handler was registered. ``above`` and ``comment`` are
    comments before and after the code, ``around`` those above the condition.
    """

    code: str
    is_body: bool = False
    condition: str = ""
    above: tuple[str, ...] = ()
    comment: str = ""
    around: tuple[str, ...] = ()


class LifespanCode(Struct, frozen=True, kw_only=True):
    """The function to write; ``annotation`` and ``returns`` are empty for none.

    ``first`` are the first statements; ``assigned`` is the application to which a later statement
    assigns the function, and ``comments`` come before everything.
    """

    name: str
    parameter: str
    annotation: str
    returns: str
    startup: tuple[Part, ...]
    shutdown: tuple[Part, ...]
    global_names: tuple[str, ...] = ()
    nonlocal_names: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    assigned: str = ""
    comments: tuple[str, ...] = ()


class ConstructorEdit(Struct, frozen=True):
    """Give ``lifespan`` to the call in place of the lists of handlers."""

    lifespan: str


class FunctionEdit(Struct, frozen=True, kw_only=True):
    """Take the decorators with these indices off a function, and give it another name.

    ``before`` is a statement to put above it; empty for none.
    """

    decorators: tuple[int, ...]
    name: str = ""
    before: str = ""


class EnteredEdit(Struct, frozen=True):
    """Enter the lifespan of ``receiver`` where a function runs its handlers by hand."""

    receiver: str


class StatementEdit(Struct, frozen=True):
    """Put this code in place of a statement; empty for none.

    ``blank``: a line stays free above. ``comments`` are those of the old statement.
    """

    code: str = ""
    blank: bool = False
    comments: tuple[str, ...] = ()
