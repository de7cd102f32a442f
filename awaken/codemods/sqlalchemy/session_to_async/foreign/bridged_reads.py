"""Attributes of objects of another package that may load: they are read in a greenlet.

The mapping of such objects is not visible and cannot change. Their relationships load as before,
and so do their collections that are queries, if `greenlet_spawn` calls the code that reads them.
`run_sync` is built on it, and it needs no session.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.foreign.relationship_evidence import (
    QUERYING,
    read_as_relationships,
)
from awaken.contract import Place
from awaken.kit.names_here import is_dotted
from awaken.kit.search import modules_with, nodes_with
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.memo import recursive
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.values.domain import InstanceOf, Value

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CONSUMERS = library_names().consuming | {"bool", "enumerate", "len", "next", "str", "zip"}
"""Builtins that take items of what they are given."""
ITEMS = "list"
"""What takes the items of a collection, which may be a query, at once."""


class BridgedReads:
    """Finds what reads objects of the classes of which ``is_foreign`` is true.

    Of such objects the program loads those of ``models`` itself. ``said`` are attributes, as
    ``package.Model.name``, that load when they are read, whatever they look like; ``fields`` those
    that models read as relationships.
    """

    def __init__(
        self,
        project: Project,
        models: Collection[str],
        is_foreign: Callable[[str], bool],
        said: Collection[str],
        fields: frozenset[str],
    ) -> None:
        self._project = project
        self._models = models
        self._is_foreign = is_foreign
        self._fields = fields
        self._said: defaultdict[str, set[str]] = defaultdict(set)
        for word in said:
            owner, _, name = word.rpartition(".")
            self._said[name].add(owner)

    def operations(self) -> dict[Place, Operation]:
        """Return what may load, and has to be called in a greenlet, by its place."""
        operations: dict[Place, Operation] = {}
        for module in modules_with(self._project, self._words):
            if not is_of_alembic(module):
                reads = [_as_read(module, node) for node in self._reads(module)]
                operations.update(_outermost(module, reads))
        for module, node in nodes_with(
            self._project, (b"getattr(", b"hasattr("), ast.Call, revisions=False
        ):
            if self._is_asked(module, node):
                operations.setdefault(module.place(node), Operation(node, "spawned"))
        return operations

    @cached_property
    def names(self) -> frozenset[str]:
        """The attributes that look like relationships, of some such class."""
        by_code = read_as_relationships(self._project, self._models, self._is_foreign)
        return self._fields.union(*by_code.values())

    @property
    def _words(self) -> tuple[bytes, ...]:
        return tuple(f".{name}".encode() for name in sorted({*self.names, *self._said}))

    def _reads(self, module: Module) -> Iterator[ast.Attribute]:
        for name in sorted({*self.names, *self._said}):
            for node in module.mentions(name):
                is_read = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
                if isinstance(node, ast.Attribute) and is_read and self._is_read(module, node):
                    yield node

    def _is_asked(self, module: Module, call: ast.Call) -> bool:
        """Whether a builtin reads an attribute by its name that may load."""
        if module.scopes.builtin_called(call) not in {"getattr", "hasattr"}:
            return False
        match call.args:
            case [owner, ast.Constant(value=str(name)), *_]:
                may_load = name in self.names or name in self._said
            case [owner, _, *_]:
                may_load = True
            case _:
                return False
        return may_load and self._is_of_foreign(module, owner)

    def _is_read(self, module: Module, node: ast.Attribute) -> bool:
        owners = self._project.values.of(module, node.value).instance_of
        is_said = not owners or not self._said.get(node.attr, set()).isdisjoint(owners)
        if node.attr not in self.names and not is_said:
            return False
        return self._is_of_foreign(module, node.value)

    @recursive(lambda *_: False)
    def _is_of_foreign(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression may give an object of such a class, or an attribute of one.

        The attributes of such an object are unknown, so its origin decides.
        """
        values = self._project.values.of(module, node)
        if any(isinstance(alternative, InstanceOf) for alternative in values.alternatives):
            return any(map(self._is_instance, values.alternatives))
        if values.unknown is None:
            return False
        match node:
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                return self._is_of_foreign(module, owner)
            case ast.Call(func=ast.Attribute(value=owner)):
                return self._is_of_foreign(module, owner)
            case ast.Call(func=ast.Name(), args=[given, *_]) if (
                module.scopes.builtin_called(node) in _CONSUMERS
            ):
                return self._is_of_foreign(module, given)
            case ast.Name():
                return any(
                    self._is_of_foreign(module, binding.value)
                    for binding in module.scopes.bindings_of(node)
                    if binding.value is not None and binding.kind != "parameter"
                )
        return False

    def _is_instance(self, value: Value) -> bool:
        return isinstance(value, InstanceOf) and self._is_foreign(value.qualified)


def _outermost(module: Module, reads: Sequence[Operation]) -> Iterator[tuple[Place, Operation]]:
    """Yield the operations that are no part of another one, each once."""
    nodes = {item.node for item in reads}
    for operation in sorted(reads, key=lambda each: module.span(each.node).start):
        if not any(above in nodes for above in module.ancestors(operation.node)):
            yield module.place(operation.node), operation


def _as_read(module: Module, read: ast.Attribute) -> Operation:
    """Return the operation of a read, with all attributes after it that may load.

    Its ``session`` is what the object is read of, if that may have to wait itself.
    """
    node, method = _whole(module, read)
    owner = None if is_dotted(read.value) else read.value
    return Operation(node, "loading", method=method, session=owner)


def _whole(module: Module, node: ast.expr) -> tuple[ast.expr, str]:
    """Return all of an expression that may load, and what takes its items."""
    while True:
        above = module.parent(node)
        match above:
            case ast.Attribute(value=value, ctx=ast.Load()) if value is node:
                called = module.call_of(above)
                if called is None:
                    node = above
                elif above.attr in QUERYING:
                    node = called
                else:
                    return node, ""
            case ast.Subscript(value=value, ctx=ast.Load()) if value is node:
                node = above
            case ast.Call(args=[given], keywords=[]) if (
                given is node and module.scopes.builtin_called(above) in _CONSUMERS
            ):
                node = above
            case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if iterated is node:
                return node, ITEMS
            case ast.Call(func=ast.Attribute(attr="extend")) | ast.Starred():
                return node, ITEMS
            case ast.Compare(ops=[*_, ast.In() | ast.NotIn()], comparators=[*_, last]) if (
                last is node
            ):
                return node, ITEMS
            case _:
                return node, ""
