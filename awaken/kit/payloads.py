"""The payloads of the rewriters of the kit, and the names by which edits ask for them."""

from __future__ import annotations

from msgspec import Struct

ADD_KEYWORD = "add-keyword"
WRITE_STATEMENTS = "write-statements"


class Keyword(Struct, frozen=True):
    """A keyword argument to add to a call; ``value`` is code."""

    name: str
    value: str


class Statements(Struct, frozen=True):
    """Statements to insert, as code."""

    code: str
