"""Fields of dataclasses whose annotation says nothing: they are what all that makes one gives.

``client: object`` has the arguments that calls of the class pass for it, its default, and
everything that visible code assigns to an attribute of that name, on any object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.names.functions.generated_init import generated_init
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, parameters_of
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.domain import NOWHERE, ClassOf, InstanceOf, Unknown, Values, union
from awaken.project.values.questions import EvaluatorPart, Given

_SETTING = {"__setattr__", "setattr"}
_REPLACING = {"__replace__", "replace"}


class GeneratedFields(EvaluatorPart):
    """Follows the fields of which only the calls of their class tell what they are."""

    def values_of(
        self, owner: InstanceOf | ClassOf, module: Module, node: ast.ClassDef, name: str
    ) -> Values | None:
        """Return what instances of the class ``node`` get for a field; None where it is no such."""
        evaluator = self._evaluator
        if not isinstance(owner, InstanceOf):
            return None
        qualified = module.full_name(node)
        made = generated_init(evaluator.names, evaluator.classes, qualified)
        if made is None:
            return None
        field = next((part for part, _ in parameters_of(made.args) if part.arg == name), None)
        declared = None if field is None else field.annotation
        if field is None or declared is None or not evaluator.says_nothing(module, declared):
            return None
        paths = evaluator.files_naming(name)
        if paths is None or len(paths) > MOST_FILES:
            return (Unknown(f"`{name}` is annotated with no particular type", NOWHERE),)
        result = evaluator.received_values(module, made, field)
        for other in evaluator.modules_at(paths):
            for given in _set_later(other, name):
                result = union(result, self._given_values(given, name))
        return evaluator.with_later_additions(result, module, name)

    def _given_values(self, given: Given | None, name: str) -> Values:
        if given is None:
            return (Unknown(f"`{name}` is set in a way that is not followed", NOWHERE),)
        return self._evaluator.values(given.module, given.node)


def _set_later(module: Module, name: str) -> Iterator[Given | None]:
    """Yield what a file gives to attributes called ``name``; None for what cannot be followed."""
    for node in module.walk():
        match node:
            case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute == name:
                match module.parent(node):
                    case ast.Assign() | ast.AnnAssign() as above:
                        if above.value is not None:
                            yield Given(module, above.value)
                    case _:
                        yield None
            case ast.Call(func=func, args=[_, ast.Constant(value=text), value, *_]) if (
                text == name and last_name(func) in _SETTING
            ):
                yield Given(module, value)
            case ast.Call(func=func, keywords=keywords) if last_name(func) in _REPLACING:
                yield from (Given(module, part.value) for part in keywords if part.arg == name)
