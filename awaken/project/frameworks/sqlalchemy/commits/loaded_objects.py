"""The verdict on an expression: does it hold an object that a session may have loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Literal

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.models import ModelFacts
from awaken.project.source.memo import cached_items
from awaken.project.source.trees import Function
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    Producer,
    Session,
    TupleOf,
    Unknown,
    Values,
)

Holds = Literal["objects", "nothing", "unknown"]
_KINDS: tuple[Holds, ...] = ("objects", "unknown", "nothing")

_CONTAINERS = name_list("plain_containers")

_RESULTS = ("Query", "Result", "Row")
"""The ends of the names of library classes whose instances hold objects that were loaded."""
_NOT_LOADED = {"select", *name_list("never_loading"), *library_names().lazy_collections}
"""The loadings of a relationship that leave it alone when its object is loaded."""


class Loaded(ModelFacts):
    """Answers for one program."""

    def held_kind(self, values: Values) -> Holds:
        """Return whether one of ``values`` is an object of a mapped class, or holds one."""
        # Classes that lead to each other are one question, whichever of them comes first.
        waiting = Worklist(self._parts(values))
        for part in waiting:
            waiting += () if part in _KINDS else self._attributes(part)
        return next((kind for kind in _KINDS if kind in waiting.seen), "nothing")

    def _parts(self, values: Values) -> Iterator[str]:
        """Yield what values hold: a kind, or the name of the class whose attributes tell."""
        for value in values:
            match value:
                case InstanceOf(qualified=name):
                    yield from self._of_instance(name, value.parameters)
                case TupleOf(items=items):
                    inner = tuple(item for part in items for item in part)
                    yield from self._parts(inner) if items else ("nothing",)
                case Producer(inner=inner):
                    yield from self._parts(inner)
                case Session() | NoneValue() | ClassOf() | FunctionOf() | ModuleOf() | External():
                    yield "nothing"
                case _:
                    yield "unknown"
        if not values:
            yield "unknown"

    def _of_instance(self, name: str, parameters: tuple[Values, ...]) -> Iterator[str]:
        inner = tuple(value for part in parameters for value in part)
        # An object that is declared as a base is of some class below.
        if self._models.status(name) in {"base", "mapped"}:
            yield "objects"
        elif inner:
            yield from self._parts(inner)
        elif name in _CONTAINERS or name.startswith("collections."):
            # Its parts are unknown.
            yield "unknown"
        else:
            is_plain = name.partition(".")[0] in sys.stdlib_module_names
            yield "nothing" if is_plain else name

    @cached_items
    def _attributes(self, name: str) -> Iterator[str]:
        """Yield what the attributes hold of a class beyond the standard library."""
        ancestors = self._evaluator.classes.ancestors(name)
        if ancestors is None:
            yield "unknown" if name.endswith(_RESULTS) else "nothing"
        # A pydantic model has copies of what it is made of.
        elif "pydantic.BaseModel" in ancestors.outside:
            yield "nothing"
        elif ancestors.unresolved:
            yield "unknown"
        else:
            for facts in self._evaluator.classes.line(name):
                for attribute in sorted(facts.attributes):
                    yield from self._of_attribute(name, attribute)

    def _of_attribute(self, owner: str, attribute: str) -> Iterator[str]:
        module, node = self._evaluator.classes.node(owner) or (None, None)
        if module is None or node is None:
            yield "unknown"
            return
        bindings = module.scopes.scope_made_by(node).bindings_of(attribute)
        # The result of a property is loaded when it is read.
        if not bindings or not all(isinstance(binding.node, Function) for binding in bindings):
            values = self._evaluator.attribute(InstanceOf(owner), attribute, module, node)
            yield from self._parts(values)

    def may_be_of_row(self, values: Values, attribute: str) -> bool:
        """Whether setting an attribute of one of ``values`` may change a row.

        A property may set another attribute.
        """
        return any(
            isinstance(value, Unknown)
            or (isinstance(value, InstanceOf) and self._is_of_row(value.qualified, attribute))
            for value in values
        )

    def _is_of_row(self, name: str, attribute: str) -> bool:
        if self._models.status(name) not in {"base", "mapped"}:
            return False
        mapped = self._models.mapped_class(name)
        line = self._evaluator.classes.line(name)
        return (
            mapped is None
            or not mapped.complete
            or mapped.attribute_kind(attribute) is not None
            or any(attribute in facts.members for facts in line)
        )

    def is_whole_after_refresh(self, values: Values) -> bool:
        """Whether ``refresh`` reloads all of an object: no relationship is loaded eagerly."""
        names = [value.qualified for value in values if isinstance(value, InstanceOf)]
        if len(names) != 1 or any(isinstance(value, Unknown) for value in values):
            return False
        mapped = self._models.mapped_class(names[0])
        if mapped is None or not mapped.complete:
            return False
        reverse = (backref.facts for backref in self._models.relationships.backrefs_to(names[0]))
        return all(item.lazy in _NOT_LOADED for item in (*mapped.relationships.values(), *reverse))
