"""What was found in a program, and the components that it makes up."""

from __future__ import annotations

from dataclasses import dataclass, field

from awaken.codemods.sqlalchemy.session_to_async.components.pieces import Piece, piece_around
from awaken.kit.changes import Member
from awaken.project.source.test_files import is_test_file


@dataclass(slots=True)
class Found:
    """What was found in a program.

    ``functions`` are members for functions, and for calls and statements that wait; ``resources``
    those for names of the synchronous side, with what they name; ``loading`` those for what is
    read of objects.
    """

    functions: list[Member] = field(default_factory=list)
    resources: list[tuple[Member, str]] = field(default_factory=list)
    loading: list[Member] = field(default_factory=list)


@dataclass(slots=True)
class Component:
    """Pieces that become asynchronous together, and what is said of them.

    ``stopping`` are the members that stand against it, also those of engines that it uses.
    ``makes_tables`` says that it does nothing else with the database. One that ``is_carried``
    makes no session, or waits for nothing: others do, wherever they are.
    """

    pieces: list[Piece]
    members: list[Member] = field(default_factory=list)
    stopping: list[Member] = field(default_factory=list)
    is_wanted: bool = True
    makes_tables: bool = False
    is_carried: bool = False

    @property
    def is_test(self) -> bool:
        """Whether it consists of tests, and of what only tests use."""
        return all(is_test_file(one.path) for one in self.pieces)

    @property
    def is_beside(self) -> bool:
        """Whether it is there for others: tests, and what makes their tables."""
        return self.is_test or self.makes_tables

    @property
    def converts(self) -> bool:
        """Whether it becomes asynchronous."""
        return self.is_wanted and not self.stopping


def piece_with(member: Member) -> Piece:
    """Return the piece that a member is said of."""
    return piece_around(member.site.module, member.site.node)
