"""The attributes that libraries give: their names, their classes, and sessions."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.modules import Module
from awaken.project.values.calls.library_calls import of_role
from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    External,
    InstanceOf,
    Lacking,
    Session,
    Unknown,
    Value,
    Values,
)
from awaken.project.values.library.of_requests import kept_for_request
from awaken.project.values.questions import EvaluatorPart

_CLASS_OF_KIND = library_names().session_classes
_PLAIN = name_list("plain_values")


class OutsideAttributes(EvaluatorPart):
    """Follows invisible assignments, as far as the library files know."""

    def of_library_class(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values | None:
        """Return an attribute of what is no class of the program; None where no stub says so.

        The values of type parameters are looked up for each reader, and not kept.
        """
        value = self._of_library(owner, owner.qualified, name, module, node)
        if isinstance(value, External):
            return (replace(value, receiver=owner),)
        if value is not None:
            return (value,)
        declared = self._evaluator.library.attribute(owner, name, module, node)
        if declared is not None:
            return declared
        if not self._evaluator.library.knows(owner.qualified):
            return None
        why = f"`{owner.qualified}` declares no `{name}`"
        # Objects of other classes may get attributes that no stub declares.
        if owner.qualified in _PLAIN and not self._evaluator.classes.subclasses(owner.qualified):
            return (Lacking(why, module.place(node)),)
        return (self._evaluator.unknown(module, node, why),)

    def of_bases(
        self, owner: InstanceOf | ClassOf, name: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what the bases outside the project say, as far as the library files know."""
        ancestors = self._evaluator.classes.ancestors(owner.qualified)
        bases = (owner.qualified,) if ancestors is None else ancestors.outside
        for base in bases:
            value = self._of_library(owner, base, name, module, node)
            if value is not None:
                return (value,)
        library = self._evaluator.library
        if ancestors is None or not any(map(library.knows, ancestors.outside)):
            return ()
        return library.attribute(owner, name, module, node) or ()

    def _of_library(
        self, owner: InstanceOf | ClassOf, base: str, name: str, module: Module, node: ast.AST
    ) -> Value | None:
        facts, full = self._evaluator.knowledge, f"{base}.{name}"
        if full in facts.declarative_attributes:
            parent = owner.model_base if isinstance(owner, InstanceOf) else None
            return DeclarativeBase(None if parent == "?" else parent, parent != "?")
        if full in facts.mapped_attributes:
            return ClassOf(facts.mapped_attributes[full])
        if full in facts.attributes:
            # Kept for all who read it, so it has the place of none of them.
            value = of_role(facts.attributes[full], full)
            custom = owner.custom_query if isinstance(owner, InstanceOf) else ""
            if custom and isinstance(value, Session):
                return Session(value.kind, custom_query=custom, place=value.place)
            return value
        if full in facts.instance_attributes:
            return InstanceOf(self._evaluator.names.defined_name(facts.instance_attributes[full]))
        if full in facts.calls or full in facts.managers or full in facts.declarative_factories:
            return External(full)
        for delegate in facts.delegates.get(base, ()):
            if facts.has(delegate, name):
                return self._evaluator.values_of_name(f"{delegate}.{name}", module, node)[0]
        return self._of_role(base, full, name)

    def _of_role(self, base: str, full: str, name: str) -> Value | None:
        """Return the attribute of what is a session, a registry, or a manager of contexts."""
        role = self._evaluator.knowledge.types.get(base)
        if role in _CLASS_OF_KIND:
            return External(f"{_CLASS_OF_KIND[role]}.{name}")
        if role is not None or base.startswith("contextlib."):
            return External(full)
        return None

    def of_external(self, owner: str, module: Module, node: ast.Attribute) -> Values:
        """Return an attribute of a name of a library."""
        name = self._evaluator.names.member(owner, node.attr)
        if name is None:
            why = f"the value of `{module.excerpt(node)}` is unknown"
            return (self._evaluator.unknown(module, node, why),)
        role = self._evaluator.knowledge.attributes.get(name)
        if role is not None:
            return (of_role(role, name, module.place(node)),)
        made = self._evaluator.knowledge.instance_attributes.get(name)
        if made is not None:
            return (InstanceOf(self._evaluator.names.defined_name(made)),)
        kept = kept_for_request(self._evaluator, owner, node.attr, module, node)
        return self._evaluator.values_of_name(name, module, node) if kept is None else kept

    def of_session(self, owner: Session, module: Module, node: ast.Attribute) -> Values:
        """Return an attribute of a session, or of a registry."""
        name = f"{_CLASS_OF_KIND[owner.kind]}.{node.attr}"
        role = self._evaluator.knowledge.attributes.get(name)
        if role is not None:
            return (of_role(role, name, module.place(node)),)
        declared = self._evaluator.library.attribute(owner, node.attr, module, node)
        return declared or (External(name, owner),)

    def as_session(self, value: Value) -> Value:
        """Return ``value``, or the session that an instance of a project's subclass is."""
        if not isinstance(value, InstanceOf):
            return value
        evaluator = self._evaluator
        ancestors = evaluator.classes.ancestors(value.qualified)
        if ancestors is None:
            return value
        roles = [evaluator.knowledge.types.get(name) for name in ancestors.outside]
        kind = next((role for role in roles if role in _CLASS_OF_KIND), None)
        if kind is None:
            return value
        for facts in ancestors.inside:
            pair = evaluator.classes.node(facts.qualified)
            if pair is None:
                continue
            module, node = pair
            place = module.place(node, "a session class of the project")
            bound = module.scopes.scope_made_by(node).bindings
            if "query" in bound or "_query_cls" in bound:
                return Unknown(f"`{facts.qualified}` overrides `query`", place)
            # Told by the text alone: there are many ways to hand such a class to a session.
            if b"query_cls" in module.source.text:
                return Session(kind, custom_query="?", place=place)  # type: ignore[arg-type]
        return Session(kind)  # type: ignore[arg-type]
