"""What the rewriter is told."""

from __future__ import annotations

from msgspec import Struct


class Transport(Struct, frozen=True):
    """How the class of the transport is written: ``httpx.ASGITransport``."""

    written: str
