"""What a rule is: it plans, the engine edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct

from awaken.contract.changes import Change, NoOptions, Pins, Plan, Problem
from awaken.contract.findings import Level, Reason
from awaken.contract.places import Place

if TYPE_CHECKING:
    from awaken.project import Project


class Phase(IntEnum):
    """The order in which rules run; each phase plans on the result of the one before."""

    REPAIR = 1
    QUERIES = 2
    MODELS = 3
    LOADING = 4
    SESSIONS = 5
    LIFESPAN = 6
    CONCURRENCY = 7
    TIDY = 8


class Parentheses(Struct, frozen=True):
    """A pair over several lines around an anchor and nothing else, which may go.

    ``column`` is where it opens, ``outdent`` how far the lines inside move left without it, and
    ``trailing`` how many characters follow it on its last line.
    """

    column: int
    outdent: int = 0
    trailing: int = 0


class Surroundings(Struct, frozen=True):
    """What a rewriter may know of the place it writes into.

    ``newline`` and ``indent`` are the file's own; ``column`` is where the anchor's first line
    starts to be ours, ``line_indent`` the white space that line starts with, ``line_length`` the
    longest line the project's formatter allows, and ``trailing`` how many characters follow the
    anchor on its last line. All are counted in characters. ``bracketed`` says that the anchor
    stands inside brackets, where a line may be broken freely. ``parentheses`` are those around
    nothing else: they go if the new code breaks its lines inside its own brackets alone.
    ``breaks_around`` says that the anchor is part of a larger expression on one line, which is
    broken as a whole afterwards if it gets too long.
    """

    newline: str = "\n"
    indent: str = "    "
    line_indent: str = ""
    column: int = 0
    trailing: int = 0
    line_length: int = 88
    bracketed: bool = False
    parentheses: Parentheses | None = None
    breaks_around: bool = False


Rewriter = Callable[[Any, Any, Surroundings], Any]
"""``function(updated LibCST node, payload, surroundings) -> node``; for ``InsertStatements`` the
node is None and the result a sequence of LibCST statements."""


class Rule:
    """One codemod. Rules keep no state: everything they know comes from the project.

    A rule's page is its module's docstring. ``since`` is the version of awaken, or of the plug-in,
    that brought it. ``levels`` are those that its sites can get; those of advice are always
    advice. ``triggers`` are byte strings of which a file must contain at least one to hold a
    site; ``needs`` gives version specifiers that each project root's targets must satisfy
    (``{"python": ">=3.11"}``). ``per_file`` says that a file's sites can be
    planned without those of other files, but for those that share a change with one of them, which
    are planned with it: such a rule may be planned file by file, in several processes.
    """

    name: ClassVar[str]
    kind: ClassVar[Literal["rewrite", "advice"]] = "rewrite"
    family: ClassVar[str]
    phase: ClassVar[Phase]
    since: ClassVar[str] = ""
    levels: ClassVar[tuple[Level, ...]] = (Level.SAFE, Level.UNSAFE, Level.MANUAL)
    after: ClassVar[tuple[str, ...]] = ()
    triggers: ClassVar[tuple[bytes, ...]] = ()
    needs: ClassVar[Mapping[str, str]] = {}
    reasons: ClassVar[tuple[Reason, ...]] = ()
    options: ClassVar[type[Struct]] = NoOptions
    preview: ClassVar[bool] = False
    per_file: ClassVar[bool] = False

    def plan(self, project: Project, pins: Pins) -> Plan:
        """Return one finding per site of ``project``, and the changes that ``pins`` allow."""
        raise NotImplementedError

    def prepare(self, project: Project) -> None:
        """Have worked out what the plans of all files ask of ``project``, before they are made.

        Only asked if ``per_file``: the processes that plan files then share the answers.
        """
        del project

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the rewriters that this rule's edits name; the only place to import LibCST."""
        return {}

    def why_no_site(self, project: Project, place: Place) -> str | None:
        """Return in one sentence why nothing at ``place`` is a site of this rule.

        None where nothing there looks like one. It is asked only for places without a finding.
        """
        del project, place
        return None

    def prove(self, after: Project, changes: Sequence[Change]) -> Iterable[Problem]:
        """Yield what ``changes`` broke, seen in the project as it would be after them."""
        del after, changes
        return ()
