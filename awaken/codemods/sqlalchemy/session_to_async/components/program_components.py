"""The findings of a program, and the components that they form."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct, field, structs
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import (
    Shared,
    shared_resources,
    with_bases,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import (
    Piece,
    piece_around,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import DELEGATE, HOIST, REPLACE
from awaken.codemods.sqlalchemy.session_to_async.reasons import SHARED_LINE
from awaken.contract import Edit, InsertStatements, NodeEdit, Place
from awaken.kit.changes import Member
from awaken.kit.reasons import OUT_OF_SIGHT, cure_of_outside
from awaken.kit.sites import Refused, Rewrite
from awaken.project.source.lines.statement_lines import statements_of_line
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import variable_of

if TYPE_CHECKING:
    from awaken.project import Project


class Found(Struct):
    """The members that were found in a program.

    ``functions`` are members for functions, and for calls and statements that wait; ``resources``
    those for names of the synchronous side, with what they name; ``loading`` those for what is
    read of objects.
    """

    functions: list[Member] = field(default_factory=list)
    resources: list[tuple[Member, str]] = field(default_factory=list)
    loading: list[Member] = field(default_factory=list)


class Placed:
    """The members of one program, by their pieces.

    Names next to the statement of a ``shared`` engine or factory go with it: it is in ``made`` by
    its name, and all else in ``by_piece``.
    """

    def __init__(self, project: Project, found: Found) -> None:
        self._project = project
        self.shared = shared_resources(
            project,
            ((member.site, name) for member, name in found.resources),  # type: ignore[misc]
        )
        self.made: defaultdict[str, list[Member]] = defaultdict(list)
        self.by_piece: defaultdict[Piece, list[Member]] = defaultdict(list)
        names = {resource.piece: name for name, resource in self.shared.items()}
        resources = (self._unless_used_elsewhere(member, names) for member, _ in found.resources)
        for member in chain(resources, found.functions):
            piece = piece_with(member)
            if piece in names:
                self.made[names[piece]].append(member)
            else:
                self.by_piece[piece].append(member)

    def _unless_used_elsewhere(self, member: Member, names: Collection[Piece]) -> Member:
        """Return a member; refused if it makes a global variable that an unread file uses.

        An engine or a factory in ``names`` gets an asynchronous one next to it instead.
        """
        module = member.site.module
        for ancestor in module.ancestors(member.site.node):
            variable = variable_of(ancestor)
            if variable is not None and module.scopes.scope_of(variable) is module.scopes.module:
                refused = used_elsewhere(self._project, module.path, variable.id)
                is_shared = piece_with(member) in names
                return member if refused is None or is_shared else replace(member, outcome=refused)
        return member

    def linked_pieces(self) -> Iterator[tuple[Piece, Piece]]:
        """Yield the pieces that have to change together, for a member says so."""
        for piece, members in self.by_piece.items():
            for member in members:
                for other in self.pieces_along(member):
                    yield piece, other

    def pieces_along(self, member: Member) -> Iterator[Piece]:
        """Yield the pieces along which a member changes."""
        for place in member.along:
            piece = self._piece_at(place)
            if piece is not None:
                yield piece

    def _piece_at(self, place: Place) -> Piece | None:
        module = self._project.module(place.path)
        if module is None:
            return None
        function = module.function_at(place.span.start)
        if function is not None:
            return piece_around(module, function)
        starting = (part for part in module.tree.body if module.span(part).contains(place.span))
        node = next(starting, None)
        return None if node is None else piece_around(module, node)


class Component(Struct):
    """Pieces that become asynchronous together, with the outcome.

    ``stopping`` are the members that block it, also those of engines that it uses. ``makes_tables``
    says that it does nothing else with the database, and ``loads_objects`` that it may have objects
    of mapped classes: it uses more than connections of its own engines. One that ``is_carried``
    makes no session, or waits for nothing: others do, wherever they are. One that
    ``finds_sessions`` has those in which its objects are, whoever made them. One that ``is_named``
    was asked for; that ``is_wanted``, and so is what stops it.
    """

    pieces: list[Piece]
    members: list[Member] = field(default_factory=list)
    stopping: list[Member] = field(default_factory=list)
    is_wanted: bool = True
    is_named: bool = True
    makes_tables: bool = False
    loads_objects: bool = True
    is_carried: bool = False
    finds_sessions: bool = False

    @property
    def is_test(self) -> bool:
        """Whether it consists of tests, and of what only tests use."""
        return all(is_test_file(piece.path) for piece in self.pieces)

    @property
    def is_for_others(self) -> bool:
        """Whether it is there for others: tests, and what makes their tables."""
        return self.is_test or self.makes_tables

    @property
    def converts(self) -> bool:
        """Whether it becomes asynchronous."""
        return self.is_wanted and not self.stopping


class Components:
    """The components of one program, and the engines and factories that they use.

    ``shared`` are those that join no component, ``made`` the members of their statements, and
    ``unmade`` the obstacles among these, all by their names; ``twins`` are the asynchronous ones
    that some have already. ``everywhere`` is said of what no component holds, and belongs to all
    that load objects. ``unnamed`` is what was asked for, and is in no component.
    """

    def __init__(
        self, placed: Placed, components: list[Component], twins: Mapping[str, str]
    ) -> None:
        self._placed = placed
        self.all = components
        self.shared = placed.shared
        self.made = placed.made
        self.unmade: dict[str, list[Member]] = {}
        self.twins = twins
        self.everywhere: list[Member] = []
        self.unnamed = ""
        self._of = {piece: component for component in components for piece in component.pieces}

    def add(self, members: Iterable[Member]) -> None:
        """Add findings that are not about the pieces that join each other."""
        for member in members:
            pieces = [piece_with(member), *self._placed.pieces_along(member)]
            component = next((self._of[piece] for piece in pieces if piece in self._of), None)
            (self.everywhere if component is None else component.members).append(member)

    def users(self, name: str) -> list[Component]:
        """Return the components that use an engine or a factory, or what is built on it."""
        names = [word for word in self.shared if name in with_bases(self.shared, [word])]
        pieces = [piece for word in names for _, piece in self.shared[word].uses]
        components = {id(self._of[piece]): self._of[piece] for piece in pieces if piece in self._of}
        return list(components.values())

    def is_left_by_all(self, name: str) -> bool:
        """Whether all places that use an engine or a factory become asynchronous."""
        users = (self._of.get(piece) for _, piece in self.shared[name].uses)
        return all(user is not None and user.converts for user in users)

    def used_by(self, components: Iterable[Component], *, with_unused: bool = True) -> set[str]:
        """Return the engines and factories that components use; unused ones belong to all."""
        pieces = {piece for component in components for piece in component.pieces}
        used = [
            name
            for name, item in self.shared.items()
            if any(piece in pieces for _, piece in item.uses) or (with_unused and not item.uses)
        ]
        return with_bases(self.shared, used)

    def making(self, name: str, pieces: Collection[Piece]) -> list[Member]:
        """Return the plan for an engine or a factory, with the names that ``pieces`` need."""
        return [
            member
            for member in self.made[name]
            if not member.along or not set(pieces).isdisjoint(self._placed.pieces_along(member))
        ]

    @cached_property
    def in_place(self) -> set[str]:
        """The engines and factories all of whose users become asynchronous."""
        if not any(component.converts for component in self.all):
            return set()
        return {
            name
            for name, resource in self.shared.items()
            if not resource.kept
            and name not in self.twins
            and not self.unmade.get(name)
            and all(user.converts for user in self.users(name))
        }

    @cached_property
    def resources_to_copy(self) -> list[Shared]:
        """Those that get an asynchronous one next to them, the first ones first."""
        needed = [
            name
            for name, resource in self.shared.items()
            if name not in self.in_place
            and any(piece in self._of and self._of[piece].converts for _, piece in resource.uses)
        ]
        # A factory that changes in place needs an asynchronous engine; others may keep the old one.
        needed += [base for name in self.in_place for base in self.shared[name].built_on]
        names = with_bases(self.shared, needed) - self.in_place
        return sorted((self.shared[name] for name in names), key=lambda resource: resource.piece)


def used_elsewhere(project: Project, path: str, qualname: str) -> Refused | None:
    """Return the refusal to change what an unread file uses; None if none does."""
    if qualname.rpartition(".")[2].startswith("__") or "<locals>" in qualname:
        return None
    use = project.outside.uses_of(path, qualname)
    if use is None:
        return None
    shown = f"`{qualname}`: {use.path}:{use.line} names it, and that file {use.why}"
    return Refused(OUT_OF_SIGHT, shown, cure_of_outside(use.why, project.outside.folder))


def piece_with(member: Member) -> Piece:
    """Return the piece that a member is said of."""
    return piece_around(member.site.module, member.site.node)


_WRITING_LINES = {DELEGATE, HOIST, REPLACE}


def on_own_lines(project: Project, members: Iterable[Member]) -> Iterator[Member]:
    """Yield ``members``; refused is what would write lines where a statement shares its own."""
    for member in members:
        edits = member.outcome.edits if isinstance(member.outcome, Rewrite) else ()
        refused = next(filter(None, (_refusal(project, edit) for edit in edits)), None)
        yield member if refused is None else structs.replace(member, outcome=refused)


def _refusal(project: Project, edit: Edit) -> Refused | None:
    match edit:
        case InsertStatements(where="before" | "after" | "body-start", at=at):
            pass
        case NodeEdit(rewriter=rewriter, anchor=at) if rewriter in _WRITING_LINES:
            pass
        case _:
            return None
    module = project.module(edit.path)
    statement = None if module is None else next(module.nodes_at({at}), None)
    if isinstance(edit, InsertStatements) and edit.where == "body-start":
        statement = getattr(statement, "body", [None])[0]
    if module is None or not isinstance(statement, ast.stmt):
        return None
    # New lines part two statements of one line, but not one from the header of its block.
    line = statements_of_line(module, statement)
    if _begins_line(module, line[0]) and (isinstance(edit, InsertStatements) or len(line) == 1):
        return None
    because = (module.place(statement),)
    return Refused(SHARED_LINE, f"`{module.excerpt(statement)}`", because=because)


def _begins_line(module: Module, statement: ast.stmt) -> bool:
    # Decorators come before.
    return not module.text_alongside(statement)[0].strip() or bool(
        getattr(statement, "decorator_list", ())
    )
