"""The payloads of the rule's edits, as its rewriters get them."""

from __future__ import annotations

from msgspec import Struct

SET_LAZY = "set-lazy"
SET_LAZY_IN_KEYWORDS = "set-lazy-in-keywords"
MAKE_BACKREF = "make-backref"


class Lazy(Struct, frozen=True):
    """The loading of a side: ``raise`` or ``raise_on_sql``."""

    value: str


class Backref(Struct, frozen=True):
    """The loading of a side, and how ``backref`` is written beside it."""

    value: str
    function: str
