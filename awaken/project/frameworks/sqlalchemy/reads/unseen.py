"""Values that may be objects of a mapped class though nothing says so."""

from __future__ import annotations

import ast
import sys

from awaken.project.frameworks.sqlalchemy.reads.domain import Sight
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.values.domain import (
    External,
    InstanceOf,
    NotRelevant,
    Unknown,
    UnknownResult,
    Value,
    Values,
)

_PROTOCOLS = {"typing.Protocol", "typing_extensions.Protocol"}


class Unseen:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def of(self, values: Values, sight: Sight) -> tuple[Unknown, ...]:
        """Return why the objects that are read may be others than those that are known."""
        found = (self._why(one, sight) for one in values)
        return tuple(one for one in found if one is not None)

    def _why(self, value: Value, sight: Sight) -> Unknown | None:
        match value:
            case UnknownResult(name=name) if self._is_of_service(name):
                return None
            case Unknown():
                return value
            case External(qualified=name) if self._may_be_mapped(name, sight):
                return Unknown(f"what `{name}` stands for is not known", sight.place)
            case InstanceOf(qualified=name) if self._is_protocol(name):
                return Unknown(f"any class may be what `{name}` describes", sight.place)
            case NotRelevant(what=what, mock=False):
                return Unknown(f"{what} of no certain class", sight.place)
            case _:
                return None

    def _is_of_service(self, name: str) -> bool:
        """Whether a library gives it that asks a service: what comes from there is not mapped."""
        return name.partition(".")[0] in self._evaluator.knowledge.services

    def _is_protocol(self, qualified: str) -> bool:
        """Whether a class of the program says what others have: nothing is an instance of it."""
        facts = self._evaluator.classes.facts(qualified)
        return facts is not None and any(one in _PROTOCOLS for one in facts.bases)

    def _may_be_mapped(self, name: str, sight: Sight) -> bool:
        """Whether a name of a library may stand for an object of the program: for a user, say.

        Not one that has a stub or begins with a capital, nor a module, as far as it is imported
        as one.
        """
        top, _, _ = name.partition(".")
        if top in sys.stdlib_module_names or name in self._evaluator.knowledge.not_mapped:
            return False
        is_class = name.rpartition(".")[2][:1].isupper()
        return not (is_class or self._evaluator.library.knows(name) or _is_imported(sight))


def _is_imported(sight: Sight) -> bool:
    """Whether what is read is a module, by ``import lemur.plugins``."""
    node = sight.node
    while isinstance(node, ast.Attribute):
        node = node.value
    bindings = sight.module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
    return any(isinstance(sight.module.parent(one.node), ast.Import) for one in bindings)
