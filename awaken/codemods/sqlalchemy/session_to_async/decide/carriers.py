"""Objects that carry sessions between functions that do not call each other.

Such a carrier is an attribute of an object that both know (``request.state.db``), a variable of a
file, a context variable, or an unknown function that gets a session.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import (
    Piece,
    node_of_piece,
    piece_around,
)
from awaken.codemods.sqlalchemy.session_to_async.find.idle import mentions_of
from awaken.codemods.sqlalchemy.session_to_async.functions.unfollowed import given_to_unknown
from awaken.kit.search import argument, modules_with
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameter_names, without_arguments

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_TOLD = {"annotation", "assignment", "augmented"}
_HANDED = ("handed", "to something unknown")
_REQUESTS = ("handed", "to a test client")
_ROUTES = library_names().http_methods | {"api_route", "route", "websocket"}
_HELD = ("attribute", "sqlalchemy_session")
"""What object factories hold their session in, whoever asks them for an object."""


class Carrier(NamedTuple):
    """A place that a session is put into, or taken from: an attribute, or a variable of a file."""

    kind: str
    name: str


class Carriers:
    """Finds the carriers of sessions between ``pieces``; ``shared`` ones do not count."""

    def __init__(
        self, part: SynchronousPart, pieces: Iterable[Piece], shared: Collection[str]
    ) -> None:
        self._part = part
        self._shared = shared
        self._project = part.project
        self._pieces = frozenset(pieces)

    def links(self) -> Iterator[tuple[tuple[str, str], Piece]]:
        """Yield each piece that uses what carries a session, with what that is."""
        carriers: set[Carrier] = set()
        for module, piece in self._project.with_modules(sorted(self._pieces)):
            node = node_of_piece(module, piece)
            if node is not None:
                # An assignment mentions nothing: only reads are looked up below.
                own = set(self._carriers(module, node))
                carriers |= own
                yield from (((carrier.kind, carrier.name), piece) for carrier in sorted(own))
                if self._session_escapes(module, node):
                    yield _HANDED, piece
                for key in self._of_tests(module, node):
                    yield key, piece
        attributes = sorted(carrier.name for carrier in carriers if carrier.kind == "attribute")
        yield from self._fields(frozenset(attributes))
        for module in modules_with(self._project, [name.encode() for name in attributes]):
            for name in attributes:
                for piece in self._with_attribute(module, name):
                    yield ("attribute", name), piece
        variables = sorted(carrier.name for carrier in carriers if carrier.kind == "variable")
        for mention in mentions_of(self._project, variables):
            yield ("variable", mention.qualified), piece_around(mention.module, mention.node)
        for name in variables:
            yield from self._statements(name)

    # ---------------------------------------------------------------------------------- its users
    def _with_attribute(self, module: Module, name: str) -> Iterator[Piece]:
        for node in module.mentions(name):
            piece = piece_around(module, node)
            if piece in self._pieces and isinstance(node, ast.Attribute):
                yield piece

    def _fields(self, attributes: frozenset[str]) -> Iterator[tuple[tuple[str, str], Piece]]:
        """Yield the classes that bind one of some attributes in their body."""
        pieces = (piece for piece in sorted(self._pieces) if piece.name)
        for module, piece in self._project.with_modules(pieces):
            facts = self._project.class_facts(f"{module.name}.{piece.name}")
            for name in sorted(attributes & facts.members) if facts is not None else ():
                yield ("attribute", name), piece

    def _statements(self, variable: str) -> Iterator[tuple[tuple[str, str], Piece]]:
        """Yield the statements, and functions, that give a variable of a file its value."""
        home, _, name = variable.rpartition(".")
        for module in modules_with(self._project, [name.encode()]):
            if module.name == home:
                for binding in module.scopes.module.bindings.get(name, ()):
                    yield ("variable", variable), piece_around(module, binding.node)

    # --------------------------------------------------------------------------- what is put where
    def _carriers(self, module: Module, node: ast.AST) -> Iterator[Carrier]:
        if isinstance(node, Function):
            own = self._part.place_of(module, node)
            for operation in self._part.operations_of(module, own):
                if operation.how != "lazy":
                    yield from self._read(module, _receiver_of(operation))
        for part in module.walk(node):
            match part:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from self._carriers_of_assignment(module, target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    yield from self._carriers_of_assignment(module, target, value)
                case ast.Call(func=ast.Attribute(value=ast.Name() as owner), args=arguments):
                    # `current.set(session)`
                    variable = self._variable(module, owner)
                    if variable and any(
                        self._project.orm.is_resource(module, item) for item in arguments
                    ):
                        yield Carrier("variable", variable)

    def _read(self, module: Module, receiver: ast.expr) -> Iterator[Carrier]:
        """Yield what an operation takes its session from."""
        while isinstance(receiver, ast.Attribute | ast.Call | ast.Subscript):
            if isinstance(receiver, ast.Attribute) and not _is_self(receiver.value):
                if self._project.qualified_name(module, receiver) in self._shared:
                    return
                yield Carrier("attribute", receiver.attr)
            receiver = receiver.func if isinstance(receiver, ast.Call) else receiver.value
        variable = self._variable(module, receiver)
        if variable:
            yield Carrier("variable", variable)

    def _carriers_of_assignment(
        self, module: Module, target: ast.expr, value: ast.expr
    ) -> Iterator[Carrier]:
        inner = target.value if isinstance(target, ast.Subscript) else target
        variable = self._variable(module, inner)
        is_outside = isinstance(target, ast.Attribute) and not _is_self(target.value)
        if (is_outside or variable) and self._project.orm.is_resource(module, value):
            if isinstance(target, ast.Attribute):
                yield Carrier("attribute", target.attr)
            if variable:
                yield Carrier("variable", variable)

    def _variable(self, module: Module, node: ast.expr) -> str:
        """Return the variable of a file that ``node`` names; empty for everything else."""
        variable = self._variable_named(module, node)
        return "" if variable in self._shared else variable

    def _variable_named(self, module: Module, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            return ""
        owner = module.scopes.owner(node.id, module.scopes.scope_of(node))
        if owner is None or owner.kind != "module":
            return ""
        kinds = {binding.kind for binding in owner.bindings.get(node.id, ())}
        if kinds <= _TOLD:
            return f"{module.name}.{node.id}"
        qualified = self._project.qualified_name(module, node) if kinds == {"import"} else None
        result = None if qualified is None else self._project.definition(qualified)
        return qualified if qualified and result is not None and result.kind in _TOLD else ""

    def _of_tests(self, module: Module, node: ast.AST) -> Iterator[tuple[str, str]]:
        """Yield what joins a function with tests, or a test with what it calls from afar."""
        if not isinstance(node, Function):
            return
        operations = self._part.operations_of(module, self._part.place_of(module, node))
        if any(operation.how == "spawned" for operation in operations):
            yield _HELD
        if self._part.is_loop_bound:
            routes = {last_name(without_arguments(decorator)) for decorator in node.decorator_list}
            if routes & _ROUTES or any(operation.resource == "client" for operation in operations):
                yield _REQUESTS

    # ------------------------------------------------------------------------------------ escapes
    def _session_escapes(self, module: Module, node: ast.AST) -> bool:
        """Whether a function hands a session to what is not known, or may be what is passed one."""
        if not isinstance(node, Function):
            return False
        own = self._part.place_of(module, node)
        graph = self._project.calls.graph()
        if not graph.callers(own):
            parameters = parameter_names(node.args)
            for operation in self._part.operations_of(module, own):
                if operation.how == "unknown" and _root(operation.node) in parameters:
                    return True
        return any(given_to_unknown(self._project, module, own))


def _receiver_of(operation: Operation) -> ast.expr:
    """Return the session, connection or engine of an operation."""
    match operation.node:
        case ast.Call(func=ast.Attribute(value=receiver)) as call:
            # `metadata.create_all(engine)`
            bind = argument(call, 0, "bind") if operation.how == "schema" else None
            return receiver if bind is None else bind
    return operation.node


def _root(node: ast.expr) -> str:
    """Return the name that an expression begins with; empty if it begins with something else."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"cls", "self"}
