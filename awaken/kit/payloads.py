"""The payloads of the rewriters of the kit, and the names by which edits ask for them."""

from __future__ import annotations

from msgspec import Struct

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


class LoadOptions(Struct, frozen=True):
    """Loader options to add to a statement: the beginning of a chain of ``calls`` calls.

    ``at`` is the call, counted from the beginning, that takes the options ``added``; without one
    there is a new call after the beginning. ``changed`` are arguments with other code: the call,
    the position, and the code.
    """

    calls: int
    at: int | None
    changed: tuple[tuple[int, int, str], ...]
    added: tuple[str, ...]


class SessionBlock(Struct, frozen=True):
    """The statements ``first`` to ``last`` of the body of a node, counted from 0.

    ``first`` makes the session ``name``. ``ends`` is what the last of them is: a ``try`` that
    closes it in its ``finally`` and nothing else, one whose ``finally`` does so at its end, the
    statement that ``closes`` it, or ``nothing`` of the kind. A ``try`` has ``begun`` if it makes
    the session first, and closes it last; both numbers are its own. ``inner`` are the sessions of
    the body of such a ``try``, without that statement, or of one that goes. If a ``finally`` is
    kept, they are those of the statements after ``first``.
    """

    first: int
    last: int
    name: str
    ends: str
    is_async: bool
    inner: tuple[SessionBlock, ...] = ()


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
