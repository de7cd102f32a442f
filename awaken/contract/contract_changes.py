"""Plans and their changes; a change is the atom of work, applied whole or not at all.

Outlines: the effect of a change on a whole program, in readable lines.

A rule that changes a program as a whole has hundreds of findings that each say little. Its outline
says what they come to: where it begins, what it changes file by file, and what stops it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from awaken.contract.edits import (
    Edit,
    InsertStatements,
    NeedImport,
    NodeEdit,
    ReleaseImport,
    ReplaceStatements,
    SetKey,
    TextEdit,
)
from awaken.contract.findings import ChangeId, Finding, Level, SiteId
from awaken.contract.places import Place, Span


class OutlineRow(Struct, frozen=True):
    """One line: ``count`` things of a kind, the first of them at ``place``.

    Without a ``text`` it is about the file of the place.
    """

    text: str = ""
    count: int = 1
    place: Place | None = None


class OutlinePart(Struct, frozen=True):
    """Lines below one ``heading``; programs know the part by its ``key``.

    ``total`` is how many things there are in all, where that is worth saying.
    """

    key: str
    heading: str
    rows: tuple[OutlineRow, ...]
    total: int = 0


class Outline(Struct, frozen=True, kw_only=True):
    """The effect of a rule on the sites of one change, or why it does nothing to ``sites``.

    It describes the ``change`` if that is made or waits for permission; otherwise it says why there
    is none. The ``title`` is a sentence without its full stop.
    """

    rule: str
    title: str
    parts: tuple[OutlinePart, ...]
    sites: tuple[SiteId, ...]
    change: ChangeId | None = None


class NoOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The options of a rule that has none."""


class Change(Struct, frozen=True, kw_only=True):
    """Edits that belong together, over any number and kind of files.

    ``requires`` names changes without which this one is dropped.
    """

    id: ChangeId
    rule: str
    title: str
    level: Level
    sites: tuple[SiteId, ...]
    edits: tuple[Edit, ...]
    requires: tuple[ChangeId, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that the edits name, each once; a requirement names none."""
        return tuple(dict.fromkeys(edit.path for edit in self.edits if hasattr(edit, "path")))

    def edited_spans(self) -> Iterator[tuple[str, Span, str]]:
        """Yield which spans of which files are edited; of an import also the name it binds."""
        for edit in self.edits:
            match edit:
                case NeedImport() | ReleaseImport():
                    bound = getattr(edit, "alias", None) or edit.name or edit.module
                    yield edit.path, Span(0, 0), bound
                case InsertStatements():
                    yield edit.path, edit.at, ""
                case NodeEdit() | TextEdit() | ReplaceStatements():
                    yield edit.path, edit.anchor, ""

    @property
    def needed_paths(self) -> tuple[str, ...]:
        """The files without which it cannot be made: a key that is not set is left to do."""
        setting = {edit.path for edit in self.edits if isinstance(edit, SetKey)}
        edited = {
            edit.path
            for edit in self.edits
            if hasattr(edit, "path") and not isinstance(edit, SetKey)
        }
        return tuple(path for path in self.paths if path in edited or path not in setting)


class Problem(Struct, frozen=True):
    """A problem of a check after rewriting; without ``changes`` the engine finds the cause."""

    place: Place
    message: str
    changes: tuple[ChangeId, ...] = ()


class Plan(Struct, frozen=True):
    """The findings of a rule in one project, and its changes.

    ``outlines`` say what changes of a whole program come to, or why there are none. ``problems``
    are what it could not do, for no fault of awaken's: they are shown, and the run goes on. One
    without a path is about the whole project.
    """

    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    outlines: tuple[Outline, ...] = ()
    problems: tuple[Problem, ...] = ()


class Constraints(Struct, frozen=True):
    """Constraints of a plan: sites that are ``excluded``, paths, and options.

    An excluded site has its finding, at its level, and no change. ``write_scope`` holds the
    project-relative paths that may be edited; None means all. ``options`` are what the project sets
    for the rule: an instance of its ``options`` type. A rule may leave out ``decided`` places, of
    findings that nobody asks for again. In files with ``rewritten`` places, which changes wrote, it
    may leave out functions without one.
    """

    excluded: frozenset[SiteId] = frozenset()
    write_scope: frozenset[str] | None = None
    options: Struct = NoOptions()
    decided: frozenset[Place] = frozenset()
    rewritten: frozenset[Place] = frozenset()

    def may_write(self, path: str) -> bool:
        """Whether ``path`` lies inside the write scope."""
        return self.write_scope is None or path in self.write_scope
