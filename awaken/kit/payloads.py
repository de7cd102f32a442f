"""The payloads of the rewriters of the kit, and the names by which edits ask for them."""

from __future__ import annotations

from msgspec import Struct

from awaken.contract.rewriter_input import SessionBlock

ADD_KEYWORD = "add-keyword"
REMOVE_ARGUMENT = "remove-argument"
LOAD_OPTIONS = "load-options"
SESSION_BLOCKS = "session-blocks"
MAKE_BACKREF = "make-backref"
REMOVE_STATEMENT = "remove-statement"
SET_LAZY = "set-lazy"
SET_LAZY_IN_KEYWORDS = "set-lazy-in-keywords"
WRITE_STATEMENTS = "write-statements"


class Keyword(Struct, frozen=True):
    """A keyword argument to add to a call; ``value`` is code."""

    name: str
    value: str


class Argument(Struct, frozen=True):
    """An argument of a call, by its position among all that are written."""

    index: int


class Statements(Struct, frozen=True):
    """Statements to insert, as code."""

    code: str


class SessionBlocks(Struct, frozen=True):
    """All sessions of one body, in their order; none shares a statement with another."""

    blocks: tuple[SessionBlock, ...]


class Lazy(Struct, frozen=True):
    """The loading of a side of a relationship, as its ``lazy``.

    ``depth`` is its ``join_depth``, 0 for none; only a side of SQLModel has it written here.
    """

    value: str
    depth: int = 0


class Backref(Struct, frozen=True):
    """The loading of a side that ``backref`` declares, and how that function is written.

    ``depth`` is its ``join_depth``, 0 for none.
    """

    value: str
    function: str
    depth: int = 0
