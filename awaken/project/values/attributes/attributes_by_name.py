"""Attributes by their names alone, whatever objects they are read from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.words import FilesWith
from awaken.project.values.domain import External, NotRelevant, Session, Unknown, Value, Values
from awaken.project.values.library.of_requests import stored_attributes
from awaken.project.values.questions import Questions

_AFTER_STORED = (" =", "=", ",", ":", ")", "]", " in")
_NAMING = (b"backref", b"setattr")
"""What a file holds that gives objects attributes by texts."""


class AttributesByName:
    """Answers for the attributes of all objects at once, so that their owners need not be asked."""

    def __init__(self, evaluator: Questions, files_with: FilesWith) -> None:
        self._evaluator = evaluator
        self._files_with = files_with

    @cached_method
    def are_only_sessions(self, name: str) -> bool:
        """Whether all that is given to attributes ``name`` is unknown, a session, or a mock of one.

        No AsyncSession counts. Callers then tell of an unknown object no more than that. For
        questions that follow callers.
        """
        return not self._is_other_known(name) and all(
            _is_session(value) for values in self._given_to(name) for value in values
        )

    def _is_other_known(self, name: str) -> bool:
        """Whether a file, a class, a text, or something of a library that is no session has it."""
        knowledge, names = self._evaluator.knowledge, self._evaluator.names
        others = (
            knowledge.instance_attributes,
            knowledge.mapped_attributes,
            names.layout.modules(),
        )
        known = [key for table in others for key in table]
        known += [
            key for key, role in knowledge.attributes.items() if role not in BLOCKING_SESSIONS
        ]
        if any(key == name or key.endswith(f".{name}") for key in known):
            return True
        quoted = [f"{quote}{name}{quote}".encode() for quote in "\"'"]
        if not set(self._files_with(quoted)).isdisjoint(self._files_with(_NAMING)):
            return True
        paths = self._evaluator.files_naming(name) or ()
        return any(name in each.members for path in paths for each in names.facts.classes(path))

    def _given_to(self, name: str) -> Iterator[Values]:
        """Yield what files give to the name at their top, and to attributes of any object."""
        evaluator, facts = self._evaluator, self._evaluator.names.facts
        for path in evaluator.files_naming(name) or ():
            table = facts.table(path)
            module = evaluator.load(path) if table is None or table.binds(name) else None
            if module is not None:
                yield evaluator.global_values(module, name)
        paths = self._files_with([f".{name}{end}".encode() for end in _AFTER_STORED])
        for module, target in stores_of(evaluator, name, paths):
            yield evaluator.assigned_values(module, target, None, None, ())


def _is_session(value: Value) -> bool:
    match value:
        case Session(kind=kind):
            return kind in BLOCKING_SESSIONS
        case NotRelevant(mock=is_mock):
            return is_mock
    return isinstance(value, Unknown | External)


def stores_of(
    evaluator: Questions, name: str, paths: Iterable[str]
) -> Iterator[tuple[Module, ast.Attribute]]:
    """Yield the assignments to attributes ``name`` in the files at ``paths``."""
    for path in (path for path in paths if evaluator.names.facts.stores(path, name)):
        module = evaluator.load(path)
        for target in stored_attributes(module, name) if module is not None else ():
            if module is not None:
                yield module, target
