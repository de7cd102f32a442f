"""The relationships of a class as assignments see them: what they load of the old value.

A collection is loaded when it is replaced. A reference is not, except with ``active_history=True``:
the flush loads the old one if SQLAlchemy needs it, and it never raises. Deleting an attribute loads
nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.frameworks.sqlalchemy.mapped_attributes import MappedAttributes
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.relationships import WORDS
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, first_parameter
from awaken.project.values.domain import (
    External,
    InstanceOf,
    NotRelevant,
    Unknown,
    Value,
)

# Calls that may flush a session: the object may have been added to one before.
_FLUSHING = library_names().executing_methods | name_list("flushing")


class Assignments:
    """Answers for one program."""

    def __init__(
        self, evaluator: ProgramEvaluator, models: Models, attributes: MappedAttributes
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._attributes = attributes

    def may_load(self, module: Module, owner: ast.expr, attribute: str) -> bool:
        """Whether assigning to an attribute of what ``owner`` gives may load a relationship."""
        if self.is_new(module, owner) or attribute not in self._loading:
            return False
        values = self._evaluator.values(module, owner)
        return any(self._may_load(value, attribute) for value in values)

    def may_have_relationships(self, module: Module, owner: ast.expr) -> bool:
        """Whether ``owner`` may be mapped, as far as that is cheap: for the object of a method."""
        function = module.enclosing_function(owner)
        name = first_parameter(function) if isinstance(function, Function) else ""
        if not isinstance(owner, ast.Name) or owner.id != name:
            return True
        values = self._evaluator.values(module, owner)
        return not values or any(
            not isinstance(one, InstanceOf) or self._may_be_mapped(one.qualified) for one in values
        )

    def _may_be_mapped(self, qualified: str) -> bool:
        heirs = self._evaluator.classes.all_subclasses(qualified)
        return any(self._models.status(name) != "plain" for name in (qualified, *heirs))

    @cached_property
    def _loading(self) -> set[str]:
        """The attributes that a class has of which an assignment to them may load."""
        return {
            name
            for path in self._evaluator.files_with(WORDS)
            for site in self._models.relationships.in_file(path)
            if (name := site.attribute) is not None
            if self.loads_old(site.owner or "", name, site.facts)
        }

    def _may_load(self, value: Value, attribute: str) -> bool:
        if not isinstance(value, InstanceOf):
            return isinstance(value, External | NotRelevant | Unknown)
        facts = self._models.relationship(value.qualified, attribute)
        return facts is not None and self.loads_old(value.qualified, attribute, facts)

    def loads_old(self, owner: str, attribute: str, facts: RelationshipFacts) -> bool:
        """Whether replacing what a relationship of the class ``owner`` holds may load it."""
        if facts.lazy in library_names().lazy_collections:
            return False
        return self._attributes.is_collection(owner, attribute, facts) is not False or any(
            keyword.arg in {"active_history", None} for keyword in self._keywords(facts)
        )

    def _keywords(self, facts: RelationshipFacts) -> Iterator[ast.keyword]:
        for _, call in self._evaluator.calls_at(Place(facts.path, facts.span)):
            yield from call.keywords

    def is_new(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is the object that an ``__init__`` is about to make, in no session yet.

        So is one of which nothing else gets hold there, or that nothing there flushes.
        """
        function = module.enclosing_function(node)
        if not isinstance(function, Function) or function.name != "__init__":
            return False
        if not isinstance(node, ast.Name) or node.id != first_parameter(function):
            return False
        calls = [part for part in own_nodes(function.body) if isinstance(part, ast.Call)]
        return not any(_may_flush(call) for call in calls)


def _may_flush(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name in _FLUSHING
