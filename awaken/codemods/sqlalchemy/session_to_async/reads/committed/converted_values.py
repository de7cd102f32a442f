"""Columns whose value the database changes, read after the commit that writes it.

A synchronous session returns the database's form of a value of another type: a date for a text. A
session that expires nothing returns the text itself, so the value is reloaded. So is what a SQL
expression computes of other rows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import items_of
from awaken.codemods.sqlalchemy.session_to_async.reads.declared.database_values import (
    read_expressions,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import (
    mapped_in,
    object_at,
    reads_of_object,
)
from awaken.contract import Place
from awaken.kit.rule import ProjectFacts
from awaken.knowledge.sql_names import sql_names
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.trees import Function
from awaken.project.source.worklist import Worklist
from awaken.project.values.containers.subscripts import received_value
from awaken.project.values.domain import (
    InstanceOf,
    Values,
    classes_in,
    instances_in,
    origins_of,
    without_none,
)
from awaken.project.values.possible import PossibleValues
from awaken.project.values.questions import Given

if TYPE_CHECKING:
    from awaken.kit.relationships.sides import Key
    from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Later
    from awaken.project.source.bindings import Binding
    from awaken.project.source.modules import Module

_DECIMAL = "decimal.Decimal"
_ENUMERATION = "enum.Enum"
_PLAIN = {*sql_names().column_types.values(), *sql_names().decimal_types.values(), "uuid.UUID"}


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
        result = {*self.of_new(values), *self._expressions_of(classes_in(items or values))}
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
        """Return the loads after a commit of classes whose objects the same function converts.

        And of those that have expressions.
        """
        result = set[Place]()
        for load in later:
            written = self._written_at(load.commit) if load.kind == "load" else frozenset()
            written = written.union(owner for owner, _ in self._expressions)
            is_load = load.kind == "load" and bool(written)
            for module, call in self._project.calls_at(load.place)[:1] if is_load else ():
                loaded = self._project.values.of(module, call).alternatives
                classes = (instance.qualified for instance in instances_in(loaded))
                lines = map(self._project.orm.mapping_ancestors, classes)
                if any(not written.isdisjoint(line) for line in lines):
                    result.add(load.place)
        return frozenset(result)

    @cached_property
    def _expressions(self) -> frozenset[Key]:
        return read_expressions(self._project)

    def all_compute(self, values: Values, name: str) -> bool:
        """Whether all mapped objects, or items, that values may be have a read expression."""
        mapped = mapped_in(self._project, values)
        return all(name in self._expressions_of([each]) for each in mapped)

    def _expressions_of(self, classes: Iterable[str]) -> set[str]:
        """Return the expressions of mapped classes that something reads."""
        lines = {each for name in classes for each in self._project.orm.mapping_ancestors(name)}
        return {name for owner, name in self._expressions if owner in lines}

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
            if mapped_in(self._project, object_at(self._project, module, call)[1])
            for name, value in self._passed_pairs(module, call)
            if self._differs(module, call, name, value)
        )

    def _passed_pairs(self, module: Module, call: ast.Call) -> Iterator[tuple[str, Given]]:
        """Yield the keywords of a call, with those of what it unpacks, as its callers pass it."""
        waiting = Worklist(
            _keywords(module, call), lambda pair: (pair[0], pair[1].module.place(pair[1].node))
        )
        for name, given in waiting:
            if name:
                yield name, given
            else:
                waiting += self._unpacked_pairs(given)

    def _unpacked_pairs(self, given: Given) -> Iterator[tuple[str, Given]]:
        """Yield what a dictionary holds by names, and without a name what else is unpacked."""
        module = given.module
        match given.node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is None or isinstance(key, ast.Constant):
                        yield "" if key is None else str(key.value), Given(module, value)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                yield from (("", Given(module, item)) for item in items)
            case ast.Call() as call if module.scopes.builtin_called(call) == "dict":
                yield from _keywords(module, call)
                yield from (("", Given(module, argument)) for argument in call.args)
            case ast.Name() as name:
                for binding in module.scopes.bindings_of(name):
                    yield from self._bound_pairs(module, binding)

    def _bound_pairs(self, module: Module, binding: Binding) -> Iterator[tuple[str, Given]]:
        """Yield the same of what a variable is given, or callers pass to a parameter."""
        node, function = binding.node, binding.scope.node
        if isinstance(function, Function) and node is function.args.kwarg:
            for site in self._project.calls.callers_of(module, function).sites:
                for home, call in self._project.calls_at(site.place):
                    yield from _keywords(home, call)
            return
        passed = self._project.calls.passed_to(module, binding, declared=True)
        received = received_value(module, node) if isinstance(node, ast.expr) else None
        for given in passed.given if passed else ():
            yield "", given
        if received is not None:
            yield "", Given(module, received.value)

    def _differs(self, module: Module, owner: ast.expr, name: str, value: Given) -> bool:
        """Whether a column is surely declared as another type than the value that it is given."""
        is_known = self._project.values.of(module, owner).is_known
        owners = classes_in(object_at(self._project, module, owner)[1])
        mapped = filter(None, map(self._project.orm.mapped_class, owners))
        classes = tuple(each.qualified for each in mapped if name in each.columns)
        if not is_known or not classes:
            return False
        declared = self._types(self._project.values.attribute(module, owner, name, classes))
        passed = self._types(self._project.values.of(value.module, value.node))
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


def _assigned(
    module: Module, function: Function | None, end: int
) -> Iterator[tuple[ast.Name, str, Given]]:
    """Yield what a function assigns to attributes of variables, in front of a place."""
    for node in module.walk(function) if function is not None else ():
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name() as owner, attr=name)], value=value
            ) if module.span(node).start < end:
                yield owner, name, Given(module, value)


def _keywords(module: Module, call: ast.Call) -> Iterator[tuple[str, Given]]:
    """Yield what a call passes by keywords; without a name what it unpacks."""
    for keyword in call.keywords:
        yield keyword.arg or "", Given(module, keyword.value)
