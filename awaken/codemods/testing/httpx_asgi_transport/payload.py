"""The payload of the rewriter: plain data."""

from __future__ import annotations

from msgspec import Struct


class Transport(Struct, frozen=True):
    """How the class of the transport is written: ``httpx.ASGITransport``."""

    written: str
