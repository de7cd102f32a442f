"""The rewriter's side of the contract: its input, and the phases of rules."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any

from msgspec import Struct


class Phase(IntEnum):
    """The order in which rules run; each phase plans on the result of the one before."""

    REPAIR = 1
    QUERIES = 2
    MODELS = 3
    LOADING = 4
    SESSIONS = 5
    COLOURING = 6
    LIFESPAN = 7
    CONCURRENCY = 8
    TIDY = 9
    ALIASES = 10


class Status(StrEnum):
    """Whether a rule runs by itself, and what selects it otherwise."""

    DEFAULT = "default"
    """It runs without a word."""
    OPT_IN = "opt-in"
    """It is finished, and runs where its name, its family or a recipe is selected."""
    PREVIEW = "preview"
    """It is unfinished: a family selects it only with ``--preview``."""


class Parentheses(Struct, frozen=True):
    """A pair over several lines around an anchor and nothing else, which may go.

    ``column`` is where it opens, ``outdent`` how far the lines inside move left without it, and
    ``trailing`` how many characters follow it on its last line.
    """

    column: int
    outdent: int = 0
    trailing: int = 0


class Surroundings(Struct, frozen=True):
    """Facts about the place that a rewriter writes into.

    ``newline`` and ``indent`` are the file's own; ``column`` is where the anchor's first line
    starts to be ours, ``line_indent`` the white space that line starts with, ``block_indent`` what
    LibCST leaves out of its other lines, ``line_length`` the longest line the project's formatter
    allows, and ``trailing`` how many characters follow the anchor on its last line. All are counted
    in characters. ``bracketed`` says that the anchor is inside brackets, where a line may be broken
    freely. ``parentheses`` are those around nothing else: they go if the new code breaks its lines
    inside its own brackets alone. ``breaks_around`` says that the anchor is part of a larger
    expression on one line, which is broken as a whole afterwards if it gets too long. ``is_value``
    says that the anchor is all that a statement assigns, returns, iterates over or tests, and so
    may be put in parentheses.
    """

    newline: str = "\n"
    indent: str = "    "
    line_indent: str = ""
    block_indent: str = ""
    column: int = 0
    trailing: int = 0
    line_length: int = 88
    bracketed: bool = False
    parentheses: Parentheses | None = None
    breaks_around: bool = False
    is_value: bool = False


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


Rewriter = Callable[[Any, Any, Surroundings], Any]
"""``function(updated LibCST node, payload, surroundings) -> node``; for ``InsertStatements`` the
node is None and the result a sequence of LibCST statements."""
