"""What the rewriter is told."""

from __future__ import annotations

from msgspec import Struct


class Disposal(Struct, frozen=True):
    """The name of the engine in the lifespan's module."""

    engine: str
