"""The values that other code gives to a name which a class or a module defines itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.replacing import puts_in
from awaken.project.source.test_files import is_of_program
from awaken.project.source.trees import Function, first_parameter, item_at, last_name
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.attributes.attributes_by_name import stores_of
from awaken.project.values.attributes.made_bases import made_bases
from awaken.project.values.attributes.own_attributes import OwnAttributes
from awaken.project.values.domain import (
    ClassOf,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    Producer,
    Session,
    Unknown,
    Values,
    union,
)
from awaken.project.values.questions import Questions


class ValuesElsewhere:
    """Answers of sessions and engines, which programs replace in parts: no more is asked."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator
        self._own = OwnAttributes(evaluator)

    def to_attribute(self, owner: InstanceOf | ClassOf, name: str, values: Values) -> Values:
        """Return the ``values`` of an attribute, with what is given to it elsewhere.

        ``self`` may be of a subclass that gives it something else. A method may set all that a
        mapping holds, such as the keywords of a call. Other code may set it on an object.
        """
        if not self._are_resources(values):
            return values
        return union(values, self._values_elsewhere(owner, name))

    def instead_of(self, functions: Values, results: Values) -> Values:
        """Return what replaces ``functions`` that have sessions or engines as ``results``."""
        own = [function for function in functions if isinstance(function, FunctionOf)]
        return union(*map(self._replacing, own)) if own and self._are_resources(results) else ()

    def _replacing(self, function: FunctionOf) -> Values:
        module, node, owner = function.module, function.node, function.bound
        if not isinstance(node, Function):
            return ()
        if isinstance(owner, InstanceOf):
            return self._values_elsewhere(owner, node.name)
        if owner is None and module.parent(node) is module.tree:
            return _certain_values(self._stored_values(ModuleOf(module.path), node.name))
        return ()

    def _values_elsewhere(self, owner: InstanceOf | ClassOf, name: str) -> Values:
        classes = self._evaluator.classes
        # Where tests put mocks is another question.
        below = [x for x in classes.all_subclasses(owner.qualified) if self._is_of_program(x)]
        mixed = [base for each in below for base in self._passed_bases(each)]
        overrides = [self._own.nearest_values(type(owner)(x), name) or () for x in (*below, *mixed)]
        by_mapping = [
            self._evaluator.values(module, item_at(mapping, name))
            for _, module, body in classes.bodies(owner.qualified)
            for mapping in _mappings_set(module, body)
        ]
        return _certain_values(union(*overrides, *by_mapping, self._stored_values(owner, name)))

    def _is_of_program(self, qualified: str) -> bool:
        facts = self._evaluator.classes.facts(qualified)
        return facts is None or is_of_program(facts.path)

    def _passed_bases(self, qualified: str) -> Iterator[str]:
        """Yield the classes that are passed as bases of a class, and of those that it inherits."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        for facts, index in () if ancestors is None else ancestors.unresolved:
            bases = made_bases(self._evaluator, facts, index)
            yield from (base.qualified for base in bases if isinstance(base, ClassOf))

    def _stored_values(self, owner: InstanceOf | ClassOf | ModuleOf, name: str) -> Values:
        """Return the values that the program assigns to a name of an object, methods aside.

        Where tests put mocks is another question.
        """
        evaluator = self._evaluator
        paths = [path for path in evaluator.files_naming(name) or () if is_of_program(path)]
        result: Values = ()
        for module, target in stores_of(evaluator, name, paths[: MOST_FILES + 1]):
            if not _is_on_self(module, target) and self._is_owner(owner, module, target.value):
                result = union(result, evaluator.assigned_values(module, target, None, None, ()))
        return result

    def _is_owner(
        self, owner: InstanceOf | ClassOf | ModuleOf, module: Module, written: ast.expr
    ) -> bool:
        values = self._evaluator.values(module, written)
        if isinstance(owner, ModuleOf):
            return owner in values
        line = {facts.qualified for facts in self._evaluator.classes.line(owner.qualified)}
        line |= set(self._evaluator.classes.all_subclasses(owner.qualified))
        return any(isinstance(x, InstanceOf | ClassOf) and x.qualified in line for x in values)

    def _are_resources(self, values: Values) -> bool:
        kinds = self._evaluator.knowledge.types
        is_resource = any(
            isinstance(value, Session)
            or (isinstance(value, InstanceOf) and value.qualified in kinds)
            or (isinstance(value, Producer) and self._are_resources(value.inner))
            for value in values
        )
        return is_resource and self._evaluator.follows_callers


def _certain_values(values: Values) -> Values:
    return tuple(value for value in values if not isinstance(value, Unknown | NoneValue))


def _is_on_self(module: Module, target: ast.Attribute) -> bool:
    method = module.enclosing_function(target)
    return isinstance(method, Function) and last_name(target.value) == first_parameter(method)


@cached_in_file
def _mappings_set(module: Module, node: ast.ClassDef) -> list[ast.expr]:
    """Return the mappings of which methods of a class set all items on their first parameter.

    ``vars(self).update(given)`` does so, and ``setattr(self, key, value)`` for each of its items.
    """
    mappings: list[ast.expr] = []
    for put in puts_in(module).get("", ()):
        method = module.enclosing_function(put.node)
        if not isinstance(method, Function) or module.parent(method) is not node:
            continue
        if last_name(put.owner) == first_parameter(method):
            mappings += [put.value] if put.value is not None and put.value is put.key else []
            mappings += _items_looped(module, put.key)
    return mappings


def _items_looped(module: Module, key: ast.expr | None) -> list[ast.expr]:
    """Return the mapping over whose items a loop goes that gives ``key``; none for other keys."""
    binding = None if key is None else module.scopes.only_binding(key)
    loop = None if binding is None else module.parent(module.parent(binding.node) or binding.node)
    match loop:
        case ast.For(iter=ast.Call(func=ast.Attribute(value=mapping, attr="items"))):
            return [mapping]
    return []
