"""Forms of WTForms: the attributes that they read of the object that they are filled from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.declared.schema_definitions import definitions_of
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_items
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, values_given
from awaken.project.values.domain import ClassOf

_KNOWN = schema_knowledge().forms


class FormField(Struct, frozen=True):
    """A field of a form, which reads the attribute of its name.

    ``forms`` are filled from what that gives, or from each item of it. ``is_kept`` says that
    populating an object reads it as well: its value is changed, or replaced item by item.
    """

    name: str
    forms: tuple[str, ...]
    is_kept: bool


class Forms(ProgramFacts):
    """Answers for one program."""

    @cached_property
    def all(self) -> frozenset[str]:
        """The classes of the program that are forms."""
        return frozenset(self._evaluator.classes.heirs_of(_KNOWN.bases))

    @cached_property
    def spellings(self) -> frozenset[str]:
        """The simple names under which the program has these classes."""
        return frozenset(self._evaluator.classes.spellings_of(self.all))

    @cached_items
    def fields(self, qualified: str) -> Iterator[FormField]:
        """Return the fields of a form, with those that it inherits."""
        seen: set[str] = set()
        for _, module, body in self._evaluator.classes.bodies(qualified):
            for name, node in _made_pairs(body):
                if name not in seen:
                    seen.add(name)
                    kind = last_name(node.func)
                    is_kept = kind in {*_KNOWN.holders, *_KNOWN.nested}
                    forms = tuple(dict.fromkeys(self._inner(module, node)))
                    yield FormField(name, forms, is_kept)

    def has_others(self, qualified: str) -> bool:
        """Whether a form has unknown fields: those of a base that a function makes."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        return ancestors is None or bool(ancestors.unresolved)

    def has_own_parameters(self, qualified: str) -> bool:
        """Whether a form says itself which arguments it takes."""
        return any(
            isinstance(statement, ast.FunctionDef) and statement.name == "__init__"
            for _, _, body in self._evaluator.classes.bodies(qualified)
            for statement in body.body
        )

    def _inner(self, module: Module, node: ast.Call) -> Iterator[str]:
        """Yield the forms that are filled from what a field reads."""
        kind = last_name(node.func)
        if kind in _KNOWN.nested:
            form = argument_at(node, 0, "form_class")
            for value in self._evaluator.values(module, form) if form is not None else ():
                if isinstance(value, ClassOf) and value.qualified in self.all:
                    yield value.qualified
        elif kind in _KNOWN.holders:
            held = argument_at(node, 0, "unbound_field")
            for home, made in (
                definitions_of(self._evaluator, module, held) if held is not None else ()
            ):
                # A list of lists has no form of its own, and would go on for ever.
                if isinstance(made, ast.Call) and last_name(made.func) in _KNOWN.nested:
                    yield from self._inner(home, made)


def _made_pairs(body: ast.ClassDef) -> Iterator[tuple[str, ast.Call]]:
    """Yield the values that the body of a class assigns by calls: fields, and others."""
    for name, value in values_given(body.body):
        if isinstance(value, ast.Call):
            yield name, value
