"""The edits of a change: plain data, which the engine carries out."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from awaken.contract.findings import SiteId
from awaken.contract.places import Span


class NodeEdit(Struct, frozen=True, kw_only=True):
    """Replace the one ``ast`` node of kind ``node`` (``"Call"``) whose span is ``anchor``.

    ``rewriter`` names a function of the rule (see ``Rule.rewriters``); ``data`` is its payload.
    ``part`` is the part that the rewriter reads and writes. For a ``header`` (a compound statement
    without its blocks) it must return the blocks unchanged, and must not read them: they may be
    placeholders. Of a statement, ``lines_above`` are the comment lines directly above it that
    belong to what is replaced. ``drops`` are comments that may go because what they are about does.
    """

    path: str
    anchor: Span
    node: str
    rewriter: str
    data: Any
    site: SiteId
    part: Literal["whole", "header"] = "whole"
    lines_above: int = 0
    drops: tuple[str, ...] = ()


class InsertStatements(Struct, frozen=True, kw_only=True):
    """Insert statements next to the statement (or into the body of the definition) at ``at``.

    ``after-imports`` ignores ``at``. The rewriter is called with no node and returns statements.
    """

    path: str
    at: Span
    where: Literal["before", "after", "body-start", "after-imports"]
    rewriter: str
    data: Any
    site: SiteId


class NeedImport(Struct, frozen=True, kw_only=True):
    """``from module import name as alias``; ``import module as alias`` where ``name`` is None."""

    path: str
    module: str
    name: str | None = None
    alias: str | None = None
    type_checking: bool = False
    site: SiteId


class ReleaseImport(Struct, frozen=True, kw_only=True):
    """Remove this import, but only if nothing refers to it after all edits."""

    path: str
    module: str
    name: str | None = None
    site: SiteId


# Without a path: which manifest it goes into is the engine's to find out.
class Requirement(Struct, frozen=True, kw_only=True):
    """The project at ``root`` needs ``requirement``; the engine knows the manifest formats.

    It goes to the first list with one of the distributions ``beside``, else into ``group``, and
    without one, to the required ones. With ``may_replace`` its versions take the place of others.
    If it cannot be written, it is reported as left to do, and the change is kept.
    """

    root: str
    requirement: str
    group: str | None = None
    beside: tuple[str, ...] = ()
    may_replace: bool = False
    site: SiteId


SettingValue = str | bool | int | tuple[str, ...]


class SetKey(Struct, frozen=True, kw_only=True):
    """In the settings file at ``path``, ``key`` of ``table`` is ``value``.

    ``table`` are the keys from the outside in, empty for the top of a TOML file; of an INI file the
    one name of a section. With ``may_create`` a missing file is created. Two changes may set a key
    to the same value. If it cannot be written, it is left to do, and the change is kept.
    """

    path: str
    table: tuple[str, ...]
    key: str
    value: SettingValue
    may_create: bool = False
    site: SiteId


class CreateFile(Struct, frozen=True, kw_only=True):
    """A new file with this text; two changes may create the same file with the same text."""

    path: str
    text: str
    site: SiteId


class TextEdit(Struct, frozen=True, kw_only=True):
    """Replace ``anchor`` by ``text``: settings files, and plain tokens of Python files."""

    path: str
    anchor: Span
    text: str
    site: SiteId


class ReplaceStatements(Struct, frozen=True, kw_only=True):
    """Replace lines of a Python file by the lines of ``text``, where no node says what changes.

    ``anchor`` spans whole lines of one block, with its whole statements, or comments between two of
    them. ``text`` is as long as it likes, its lines end as those of the file, and no line may be
    cut: only the last line of a file has no end.
    """

    path: str
    anchor: Span
    text: str
    site: SiteId


class ByHand(Struct, frozen=True, kw_only=True):
    """A task for the user that goes with the change: it is reported as left to do.

    ``file`` is project-relative and ``line`` 1-based, 0 for all of it; ``what`` is a clause.
    """

    file: str
    line: int
    what: str
    site: SiteId


Edit = (
    NodeEdit
    | InsertStatements
    | ReplaceStatements
    | NeedImport
    | ReleaseImport
    | Requirement
    | SetKey
    | CreateFile
    | TextEdit
    | ByHand
)
