"""Values of another type than their column, read after the commit that writes them.

A synchronous session returns the database's form of such a value: a date for a text. A session
that expires nothing returns the text itself, so the value is reloaded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import items_of
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import reads_of_object
from awaken.contract import Place
from awaken.kit.rule import ProjectFacts
from awaken.knowledge.sql_names import sql_names
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_method
from awaken.project.values.containers.unpacked_targets import received_value
from awaken.project.values.domain import (
    InstanceOf,
    Values,
    classes_in,
    instances_in,
    origins_of,
    without_none,
)
from awaken.project.values.possible import PossibleValues

if TYPE_CHECKING:
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.source.modules import Module
    from awaken.project.source.trees import Function

_DECIMAL = "decimal.Decimal"
_ENUMERATION = "enum.Enum"
_PLAIN = {*sql_names().column_types.values(), *sql_names().decimal_types.values(), "uuid.UUID"}
_Given = Iterator[tuple[str, ast.expr]]


class ConvertedValues(ProjectFacts):
    """Answers for one program."""

    def names(
        self, module: Module, node: ast.expr, values: Values, events: list[Place]
    ) -> frozenset[str]:
        """Return the columns that are read of ``node`` after commits, and whose value converts."""
        items = items_of(values)
        way, above = use_of(module, node)
        if not reads_of_object(module, node, is_many=bool(items)):
            return frozenset()
        result = self.of_new(values)
        function, text = module.enclosing_def(node), module.text_of(node)
        end = max((each.span.start for each in events if each.path == module.path), default=0)
        if function is not None and not items:
            result |= {
                name
                for owner, name, given in _assigned(module, function, end)
                if module.text_of(owner) == text and self._differs(module, owner, name, given)
            }
        return frozenset(result & {above.attr} if way == "attribute" else result)

    def of_new(self, values: Values) -> set[str]:
        """Return the columns that got such a value where an object, or an item, was made."""
        origins = origins_of(items_of(values) or values)
        return {name for origin in origins for name in self._of_call(origin.place)}

    def loads(self, later: Iterable[Later]) -> frozenset[Place]:
        """Return the loads after a commit of classes whose objects the same function converts."""
        result = set[Place]()
        for load in later:
            if load.kind == "load" and (written := self._written_at(load.commit)):
                for module, call in self._project.calls_at(load.place)[:1]:
                    loaded = self._project.values.of(module, call).alternatives
                    classes = (instance.qualified for instance in instances_in(loaded))
                    lines = map(self._project.orm.mapping_ancestors, classes)
                    if any(not written.isdisjoint(line) for line in lines):
                        result.add(load.place)
        return frozenset(result)

    @cached_method
    def _written_at(self, commit: Place) -> frozenset[str]:
        """Return the classes of which the function around a commit gives columns such values."""
        result = set[str]()
        for module, call in self._project.calls_at(commit)[:1]:
            function, end = module.enclosing_def(call), module.span(call).start
            for node in module.walk(function) if function is not None else ():
                if (
                    isinstance(node, ast.Call)
                    and module.span(node).end <= end
                    and self._of_call(module.place(node))
                ):
                    result |= {self._project.qualified_name(module, node.func) or ""}
            for owner, name, given in _assigned(module, function, end):
                if self._differs(module, owner, name, given):
                    result |= {*self._project.instance_of(module, owner)}
        return frozenset(result)

    @cached_method
    def _of_call(self, place: Place) -> frozenset[str]:
        """Return the columns to which a call that makes a mapped object gives such values."""
        return frozenset(
            name
            for module, call in self._project.calls_at(place)[:1]
            if self._project.orm.mapped_class(self._project.qualified_name(module, call.func))
            for name, value in _passed(module, call)
            if self._differs(module, call, name, value)
        )

    def _differs(self, module: Module, owner: ast.expr, name: str, value: ast.expr) -> bool:
        """Whether a column is surely declared as another type than the value that it is given."""
        owners = self._project.values.of(module, owner)
        mapped = map(self._project.orm.mapped_class, classes_in(owners.alternatives))
        if not owners.is_known or not any(
            each is not None and name in each.columns for each in mapped
        ):
            return False
        declared = self._types(self._project.values.attribute(module, owner, name))
        passed = self._types(self._project.values.of(module, value))
        # The database gives as many decimal places as the column has.
        return bool(declared and passed) and (declared.isdisjoint(passed) or declared == {_DECIMAL})

    def _types(self, values: PossibleValues) -> set[str]:
        """Return the types of plain values that something may have, if it is one of them."""
        alternatives = without_none(values.alternatives)
        names = {value.qualified for value in alternatives if isinstance(value, InstanceOf)}
        is_all = values.is_known and len(names) == len(alternatives)
        return names if is_all and all(map(self._is_plain, names)) else set()

    def _is_plain(self, name: str) -> bool:
        return name in _PLAIN or _ENUMERATION in self._project.library_ancestors(name)


def _passed(module: Module, call: ast.Call) -> _Given:
    """Yield the keywords of a call, with those of the dictionaries that it may unpack."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value
        for display in _displays(module, keyword.value, set()) if keyword.arg is None else ():
            for key, value in zip(display.keys, display.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield str(key.value), value


def _displays(module: Module, node: ast.expr, seen: set[ast.expr]) -> Iterator[ast.Dict]:
    """Yield the dictionaries that a variable holds, or the items of the list that it goes over."""
    if node in seen:
        return
    seen.add(node)
    match node:
        case ast.Dict():
            yield node
        case ast.List(elts=items) | ast.Tuple(elts=items):
            for item in items:
                yield from _displays(module, item, seen)
        case ast.Name():
            for binding in module.scopes.bindings_of(node):
                target = binding.node
                received = received_value(module, target) if isinstance(target, ast.expr) else None
                if received is not None:
                    yield from _displays(module, received.value, seen)


def _assigned(
    module: Module, function: Function | None, end: int
) -> Iterator[tuple[ast.Name, str, ast.expr]]:
    """Yield what a function assigns to attributes of variables, in front of a place."""
    for node in module.walk(function) if function is not None else ():
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name() as owner, attr=name)], value=value
            ) if module.span(node).start < end:
                yield owner, name, value
