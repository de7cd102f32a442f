"""The verdict on an expression: does it hold an object that a session may have loaded."""

from __future__ import annotations

import sys
from typing import Literal

from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_method, recursive
from awaken.project.source.trees import Function
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
    Value,
    Values,
)

Holds = Literal["objects", "nothing", "unknown"]

_CONTAINERS = name_list("plain_containers")

_RESULTS = ("Query", "Result", "Row")
"""The ends of the names of library classes whose instances hold objects that were loaded."""
_NOT_LOADED = {"dynamic", "noload", "raise", "raise_on_sql", "select", "write_only"}
"""The loadings of a relationship that leave it alone when its object is loaded."""


class Loaded:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, models: Models) -> None:
        self._evaluator = evaluator
        self._models = models

    def held_kind(self, values: Values) -> Holds:
        """Return whether one of ``values`` is an object of a mapped class, or holds one."""
        result = {self._held_holds(value) for value in values}
        if "objects" in result:
            return "objects"
        return "unknown" if "unknown" in result or not result else "nothing"

    def _held_holds(self, value: Value) -> Holds:
        match value:
            case InstanceOf(qualified=name):
                return self._of_instance(name, value.parameters)
            case TupleOf(items=items):
                return (
                    self.held_kind(tuple(one for part in items for one in part))
                    if items
                    else "nothing"
                )
            case Producer(inner=inner):
                return self.held_kind(inner)
            case Session() | NoneValue() | ClassOf() | FunctionOf() | ModuleOf() | External():
                return "nothing"
        return "unknown"

    def _of_instance(self, name: str, parameters: tuple[Values, ...]) -> Holds:
        # An object that is declared as a base is of some class below.
        if self._models.status(name) in {"base", "mapped"}:
            return "objects"
        inner = tuple(value for part in parameters for value in part)
        if inner:
            return self.held_kind(inner)
        # Its parts are unknown.
        if name in _CONTAINERS or name.startswith("collections."):
            return "unknown"
        if name.partition(".")[0] in sys.stdlib_module_names:
            return "nothing"
        return self._of_class(name)

    @cached_method
    @recursive(lambda *_: "unknown")
    def _of_class(self, name: str) -> Holds:
        """Return what an instance of a class beyond the standard library may hold."""
        ancestors = self._evaluator.classes.ancestors(name)
        if ancestors is None:
            return "unknown" if name.endswith(_RESULTS) else "nothing"
        # A pydantic model has copies of what it is made of.
        if "pydantic.BaseModel" in ancestors.outside:
            return "nothing"
        if ancestors.unresolved:
            return "unknown"
        result = {
            self._of_attribute(name, attribute)
            for facts in self._evaluator.classes.line(name)
            for attribute in sorted(facts.attributes)
        }
        known: Holds = "unknown" if "unknown" in result else "nothing"
        return "objects" if "objects" in result else known

    def _of_attribute(self, owner: str, attribute: str) -> Holds:
        module, node = self._evaluator.classes.node(owner) or (None, None)
        if module is None or node is None:
            return "unknown"
        bindings = module.scopes.scope_made_by(node).bindings_of(attribute)
        # The result of a property is loaded when it is read.
        if bindings and all(isinstance(binding.node, Function) for binding in bindings):
            return "nothing"
        values = self._evaluator.attribute(InstanceOf(owner), attribute, module, node)
        return self.held_kind(values)

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
