"""The payload of the rewriter of statements: plain data."""

from __future__ import annotations

from msgspec import Struct


class Limited(Struct, frozen=True):
    """The context manager that limits the time of a statement, as code.

    ``comments`` are those of the call; one that is next to the timeout is ``beside`` it.
    """

    manager: str
    comments: tuple[str, ...] = ()
    beside: str = ""
