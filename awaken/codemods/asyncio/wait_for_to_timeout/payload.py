"""The payload of the rewriter of statements: plain data."""

from __future__ import annotations

from msgspec import Struct


class Limited(Struct, frozen=True):
    """The context manager that limits the time of a statement, as code."""

    manager: str
