"""Columns that are loaded when they are read: their reads are awaited.

Reads of responses and schemas run in a greenlet, where the columns load as before.

Such columns are deferred by the mapping or an option of a statement. Or they are an expression,
which every flush of their object expires.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.foreign.bridged_models import BridgedModels
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.database_values import (
    declared_columns,
    is_expression,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import mapped_in
from awaken.codemods.sqlalchemy.session_to_async.reasons import LATE_COLUMN
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.programs.alembic_files import is_in_revision
from awaken.project.source.trees import Function, is_constant, keyword_of, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
    from awaken.project.source.modules import Module

_WORDS = (b"deferred", b"column_property")
_OPTIONS = (b"load_only", b"defer")
_OF_EXPRESSION = (
    "Await it in a function and pass its value on. SQLAlchemy reloads an expression after every "
    "write of its object, deferred or not."
)
_VALIDATED = {"response", "schema"}


class _Late(Struct, frozen=True):
    """A column of a class; ``place`` is the call that says so, perhaps of one statement alone.

    An expression is loaded late whether or not it is deferred.
    """

    owner: str
    name: str
    place: Place
    is_option: bool = False
    is_expression: bool = False


class LateColumns:
    """The loads of such columns in one program."""

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        late = [*self._mapped_columns(), *self._by_options()]
        names = {column.name for column in late}
        reads = tuple(project.orm.reads.columns.reads_of(names) if names else ())
        self._reads = [(read, item) for item in late for read in reads if self._is_late(read, item)]
        validated = [read for read, _ in self._reads if read.how in _VALIDATED]
        # A response may read the column of an object that its own object leads to.
        leading = {
            name
            for place in sorted({read.given for read in validated if read.given is not None})
            for module, node in project.expressions_at(place)
            for name in mapped_in(project, project.values.of(module, node).alternatives)
        }
        owners = frozenset({read.owner for read in validated} | leading)
        self._models = BridgedModels(project, lambda name: self._is_one_of(name, owners))

    # ------------------------------------------------------------------------------- declarations
    def _mapped_columns(self) -> Iterator[_Late]:
        """Yield what the mapping says."""
        for module, node in nodes_with(self._project, _WORDS, ast.Call, revisions=False):
            if self._is_declared_late(module, node):
                yield from self._declared_columns(module, node)

    def _is_declared_late(self, module: Module, call: ast.Call) -> bool:
        name = self._project.qualified_name(module, call.func)
        if is_constant(keyword_of(call, "deferred"), value=True):
            return name is not None and name.startswith(("sqlalchemy.", "sqlmodel."))
        return name == "sqlalchemy.orm.deferred" or is_expression(self._project, module, call)

    def _declared_columns(self, module: Module, call: ast.Call) -> Iterator[_Late]:
        computed = is_expression(self._project, module, call)
        for owner, name in declared_columns(self._project, module, call):
            yield _Late(owner, name, module.place(call), is_expression=computed)

    def _by_options(self) -> Iterator[_Late]:
        """Yield what options of statements defer."""
        for module, node in nodes_with(self._project, _OPTIONS, ast.Call, revisions=False):
            kind, place = last_name(node.func), module.place(node)
            columns = [self._column(module, argument) for argument in node.args]
            named = [column for column in columns if column is not None]
            if kind == "defer":
                yield from (_Late(owner, name, place, is_option=True) for owner, name in named)
            elif kind == "load_only":
                for owner in dict.fromkeys(owner for owner, _ in named):
                    loaded = {name for word, name in named if word == owner}
                    for name in self._others(owner, loaded):
                        yield _Late(owner, name, place, is_option=True)

    def _column(self, module: Module, node: ast.expr) -> tuple[str, str] | None:
        if not isinstance(node, ast.Attribute):
            return None
        owner = self._project.qualified_name(module, node.value)
        return None if owner is None else (owner, node.attr)

    def _others(self, owner: str, loaded: set[str]) -> Iterator[str]:
        mapped = self._project.orm.mapped_class(owner)
        for name, facts in mapped.columns.items() if mapped is not None else ():
            if name not in loaded and not facts.primary_key:
                yield name

    # -------------------------------------------------------------------------------------- reads
    def _is_late(self, read: Read, late: _Late) -> bool:
        if read.attribute != late.name or is_in_revision(self._project, read.place):
            return False
        if not read.owner:
            return not late.is_option and not self._is_called(read)
        if late.owner not in self._project.orm.mapping_ancestors(read.owner):
            return False
        return not late.is_option or any(
            option.path == late.place.path and option.span.contains(late.place.span)
            for trace in read.traces
            for option in trace.load.options
        )

    def _is_called(self, read: Read) -> bool:
        """Whether the attribute is called: then it is a method with the same name."""
        pair = self._attribute_at(read)
        above = None if pair is None else pair[0].parent(pair[1])
        return isinstance(above, ast.Call) and pair is not None and above.func is pair[1]

    def _attribute_at(self, read: Read) -> tuple[Module, ast.Attribute] | None:
        """Return the attribute that is read by its name in Python code."""
        for module, node in self._project.expressions_at(read.place):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                return module, node
        return None

    def awaited(self) -> Iterator[Place]:
        """Yield the reads in Python code that are awaited."""
        return (read.place for read, _ in self._reads if self._is_awaited(read))

    # ------------------------------------------------------------------------------- validations
    def _is_one_of(self, name: str, owners: frozenset[str]) -> bool:
        mapped = self._project.orm.mapped_class(name)
        return mapped is not None and not owners.isdisjoint(
            self._project.orm.mapping_ancestors(name)
        )

    def validated(self) -> dict[Place, Operation]:
        """Return what is validated in a greenlet, where such columns load as they did."""
        operations: dict[Place, Operation] = {}
        for read, _ in self._reads:
            operations.update(self._validating(read))
        return operations

    def _validating(self, read: Read) -> dict[Place, Operation]:
        """Return the operations, by their places, by which schemas and responses read.

        Reads of an unknown object there run in the greenlet, too.
        """
        if read.how not in _VALIDATED or read.given is None:
            return {}
        return self._models.operations_on(read.given, read.attribute)

    def classes(self) -> list[str]:
        """Return the classes whose columns are awaited."""
        return sorted({read.owner for read, _ in self._reads if self._is_awaited(read)})

    def _is_awaited(self, read: Read) -> bool:
        """Whether a read is awaited: what Python itself calls, as a property, can await nothing."""
        pair = self._attribute_at(read)
        around = None if pair is None else pair[0].enclosing_function(pair[1])
        if not read.owner or not isinstance(around, Function):
            return False
        is_dunder = around.name.startswith("__") and around.name.endswith("__")
        decorators = map(last_name, around.decorator_list)
        return not is_dunder and not any(decorator.endswith("property") for decorator in decorators)

    def members(self) -> Iterator[Member]:
        """Yield the reads that cannot be awaited, and those of an unknown object."""
        refused = {
            late: read.place
            for read, late in self._reads
            if not self._is_awaited(read) and not self._validating(read)
        }
        for late, place in refused.items():
            for module, call in self._project.calls_at(late.place)[:1]:
                shown = f"{late.owner.rpartition('.')[2]}.{late.name}"
                cure = _OF_EXPRESSION if late.is_expression else ""
                why = Refused(LATE_COLUMN, shown, cure, because=(place,))
                yield Member(Site(self._rule, module, call), why, f"`{shown}`")
