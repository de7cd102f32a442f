"""Values that may be objects of a mapped class though nothing says so."""

from __future__ import annotations

import ast
import sys

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Sight
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.trees import root_of
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.calls.decoding import decodes
from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Session,
    Unknown,
    UnknownResult,
    Value,
    Values,
)

_OF_GETATTR = 2  # what is asked for a name that it may not have, may be anything
_TABLES = "metadata"
_PROTOCOLS = library_names().protocols


class Unseen(ProgramFacts):
    """Answers for one program."""

    def reasons_for(self, values: Values, sight: Sight) -> tuple[Unknown, ...]:
        """Return why the objects that are read may be others than those that are known."""
        result = (self._why(value, sight) for value in values)
        return tuple(unknown for unknown in result if unknown is not None)

    def _why(self, value: Value, sight: Sight) -> Unknown | None:
        match value:
            case UnknownResult(name=name) if self._is_of_service(name):
                return None
            case Unknown():
                return None if self._is_plain(value.place, sight) else value
            case External(qualified=name) if self._may_be_mapped(name, sight):
                return Unknown(f"the class that `{name}` describes is unknown", sight.place)
            case InstanceOf(qualified=name) if self._is_protocol(name):
                return Unknown(f"`{name}` may describe any class", sight.place)
            case NotRelevant(what=what, mock=False):
                return Unknown(f"{what} of no certain class", sight.place)
        return None

    def _is_plain(self, place: Place, sight: Sight) -> bool:
        """Whether a call is what ends there, and gives nothing that is mapped.

        It is plain data that is decoded, or an attribute of an object without mapped attributes.
        Attributes of that attribute do not count.
        """
        module = self._evaluator.load(place.path)
        calls = [] if module is None else module.calls_at(place.span)
        if module is None or not calls:
            return module is not None and self._is_of_tables(module, place)
        return self._gives_plain(module, calls[0]) and (
            not _is_asking(module, calls[0]) or _is_read(sight, place)
        )

    @cached_by(Module.place)
    def _gives_plain(self, module: Module, call: ast.Call) -> bool:
        asked = _is_asking(module, call) and self._asks_plain(module, call)
        return asked or decodes(self._evaluator, module, call)

    def _is_of_tables(self, module: Module, place: Place) -> bool:
        """Whether a base of models is asked for its tables: they and their columns are no objects.

        No model has an attribute of its own of that name (SQLAlchemy, "Table metadata").
        """
        for node in module.expressions_at({place.span}):
            if isinstance(node, ast.Attribute) and node.attr == _TABLES:
                owners = self._evaluator.values(module, node.value)
                return bool(owners) and all(map(self._is_base, owners))
        return False

    def _is_base(self, value: Value) -> bool:
        """Whether a value is a class of models, or the base that they inherit from."""
        if isinstance(value, DeclarativeBase):
            return True
        if not isinstance(value, ClassOf):
            return False
        roots = self._evaluator.knowledge.declarative_roots
        return not roots.isdisjoint(self._evaluator.classes.library_ancestors(value.qualified))

    def _asks_plain(self, module: Module, call: ast.Call) -> bool:
        """Whether `getattr` asks an object of the program for something that is never mapped."""
        owners = self._evaluator.values(module, call.args[0])
        return bool(owners) and all(
            isinstance(owner, InstanceOf) and self._has_only_plain(owner) for owner in owners
        )

    def _has_only_plain(self, owner: InstanceOf) -> bool:
        """Whether all attributes of an object are known, and none may be a mapped object."""
        evaluator, name = self._evaluator, owner.qualified
        ancestors = evaluator.classes.ancestors(name)
        node = evaluator.classes.node(name)
        if ancestors is None or ancestors.unresolved or node is None:
            return False
        below = [evaluator.classes.facts(word) for word in evaluator.classes.all_subclasses(name)]
        classes = (*ancestors.inside, *(facts for facts in below if facts is not None))
        members = {member for class_ in classes for member in class_.attributes}
        if len(members) > MOST_STEPS or None in below or "__getattr__" in members:
            return False
        if not set(ancestors.outside) <= library_names().plain_bases:
            return False
        return all(
            self._is_never_mapped(value)
            for member in sorted(members)
            for value in evaluator.attribute(owner, member, *node)
        )

    def _is_never_mapped(self, value: Value) -> bool:
        match value:
            case InstanceOf(qualified=name):
                classes = self._evaluator.classes
                below = () if classes.facts(name) is None else classes.all_subclasses(name)
                is_mapped = self._evaluator.mapping.is_mapped
                return not (self._is_protocol(name) or any(map(is_mapped, (name, *below))))
            case FunctionOf() | ClassOf() | NoneValue() | Session():
                return True
        return False

    def _is_of_service(self, name: str) -> bool:
        """Whether a library that asks a service gives it: then it is not mapped."""
        return name.partition(".")[0] in self._evaluator.knowledge.services

    def _is_protocol(self, qualified: str) -> bool:
        """Whether a class of the program says what others have: nothing is an instance of it."""
        facts = self._evaluator.classes.facts(qualified)
        return facts is not None and any(base in _PROTOCOLS for base in facts.bases)

    def _may_be_mapped(self, name: str, sight: Sight) -> bool:
        """Whether a name of a library may be an object of the program: a user, for example.

        A name with a stub or a capital is not, nor a module that is imported as one.
        """
        top, _, _ = name.partition(".")
        if top in sys.stdlib_module_names or name in self._evaluator.knowledge.not_mapped:
            return False
        is_class = name.rpartition(".")[2][:1].isupper()
        return not (is_class or self._evaluator.library.knows(name) or _is_imported(sight))


def _is_asking(module: Module, call: ast.Call) -> bool:
    return module.scopes.builtin_called(call) == "getattr" and len(call.args) == _OF_GETATTR


def _is_read(sight: Sight, place: Place) -> bool:
    """Whether the object that is read is what the call at ``place`` gives, and no part of it."""
    module, node = sight.module, sight.node
    # The steps of a proxy are its own, after the attribute that is read.
    is_one = len(sight.path) == 1 or sight.how == "proxy"
    if isinstance(node, Unknown) or not is_one:
        return False
    bindings = module.scopes.bindings_of(node)
    given = [node, *(binding.value for binding in bindings if binding.kind == "assignment")]
    return any(argument is not None and module.place(argument) == place for argument in given)


def _is_imported(sight: Sight) -> bool:
    """Whether the attribute is a module, by ``import lemur.plugins``."""
    node = None if isinstance(sight.node, Unknown) else root_of(sight.node)
    bindings = sight.module.scopes.bindings_of(node)
    return any(isinstance(sight.module.parent(binding.node), ast.Import) for binding in bindings)
