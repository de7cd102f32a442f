"""What is read of an object behind the place where it stands: there, by others, or of its items."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.handed_objects import (
    HandedObjects,
)
from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf, Value, Values

if TYPE_CHECKING:
    from awaken.project import Project


class ReadOf:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._handed = HandedObjects(project)

    def names(
        self, module: Module, node: ast.Attribute | ast.Name, values: Values, *, is_many: bool
    ) -> frozenset[str]:
        """Return the attributes that are read of ``node``, or of its items, if it has many."""
        above = module.parent(node)
        above = module.parent(above) if isinstance(above, ast.keyword) else above
        match above:
            case ast.Return():
                items = items_of(values) if is_many else values
                return frozenset(name for one in items for name in self._answered_with(one))
            case ast.For(target=ast.Name(id=name)) if is_many and above.iter is node:
                return frozenset(_read_in(module, above, name))
            case ast.comprehension(target=ast.Name(id=name)) if is_many and above.iter is node:
                return frozenset(_read_in(module, module.parent(above), name))
            case ast.Attribute(attr=name) if not is_many:
                return frozenset({name})
            case ast.Call() as call if call.func is not node and not is_many:
                return self._handed.attributes(module, call, node)
            case _:
                return frozenset()

    def _answered_with(self, value: Value) -> Iterator[str]:
        """Yield what responses have of an object that is returned."""
        for origin in (value.origins or ()) if isinstance(value, InstanceOf) else ():
            yield from self._answered[origin.place]

    @cached_property
    def _answered(self) -> defaultdict[Place, set[str]]:
        """The relationships that responses have of what is loaded at a place."""
        found: defaultdict[Place, set[str]] = defaultdict(set)
        for read in self._project.orm.relationship_reads():
            for trace in read.traces if read.how == "response" else ():
                if len(trace.path) == 1:
                    found[trace.load.place].add(read.attribute)
        return found


def items_of(values: Values) -> Values:
    """Return the items of what may be lists."""
    lists = [one for one in values if isinstance(one, InstanceOf) and one.parameters]
    return tuple(item for one in lists for item in one.parameters[-1])


def _read_in(module: Module, node: ast.AST | None, name: str) -> Iterator[str]:
    for one in () if node is None else module.walk(node):
        match one:
            case ast.Attribute(value=ast.Name(id=held), attr=attribute, ctx=ast.Load()) if (
                held == name
            ):
                yield attribute
            case _:
                pass
