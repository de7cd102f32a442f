"""The payload of the rewriter: plain data."""

from __future__ import annotations

from msgspec import Struct


class ConfigRewrite(Struct, frozen=True):
    """How a `class Config` is written as a call.

    ``function`` is the name of ``SettingsConfigDict``, ``keys`` those of the settings in the order
    of the statements, as they are called now. ``literals`` are strings that take the place of the
    value of a key, ``docstring`` the lines that become comments.
    """

    function: str
    keys: tuple[str, ...]
    literals: dict[str, str] = {}
    docstring: tuple[str, ...] = ()
