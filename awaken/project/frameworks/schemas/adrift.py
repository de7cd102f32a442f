"""Schemas that leave the code that is followed: passed to a decorator, kept in a registry.

Their arguments are not visible there, so they may write any object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.declared.marshmallow_schemas import (
    MarshmallowSchemas,
    SchemaShape,
)
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import Unknown

_KNOWN = schema_knowledge().schemas
_WORDS = (b"Schema", b"schema")
# Calls that receive a schema there and read nothing by it, or that others follow.
_FOLLOWED = frozenset(
    (
        *(name.rpartition(".")[2] for name in (*_KNOWN.nested, *_KNOWN.plucked, *_KNOWN.holders)),
        *("cast", "hasattr", "isinstance", "issubclass", "super", "type"),
    )
)


class AdriftSchemas:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, schemas: MarshmallowSchemas) -> None:
        self._evaluator = evaluator
        self._schemas = schemas

    def all(self) -> Iterator[tuple[SchemaShape, Unknown]]:
        """Yield each of them, with the place where it is passed on."""
        if not self._schemas.may_be_there:
            return
        for path in self._evaluator.files_with(_WORDS):
            for qualified in self._evaluator.classes.written_in(path):
                place = self._left_at(qualified) if self._schemas.is_schema(qualified) else None
                if place is not None:
                    name = qualified.rpartition(".")[2]
                    why = (
                        f"`{name}` is passed on here, and no visible call shows which "
                        "object it writes"
                    )
                    yield self._schemas.shape(qualified), Unknown(why, place)

    def _left_at(self, qualified: str) -> Place | None:
        for spelling in self._evaluator.classes.spellings(qualified):
            for module, node in self._mentions(spelling):
                name = self._evaluator.names.qualified_name(module, node)
                if name in {None, qualified} and self._leaves(module, node, qualified):
                    return module.place(node)
        return None

    def _mentions(self, word: str) -> Iterator[tuple[Module, ast.expr]]:
        files = self._evaluator.callers.words.files_with(word)
        for module in self._evaluator.names.facts.mentioning(word, files):
            for node in module.mentions(word):
                is_read = isinstance(getattr(node, "ctx", None), ast.Load)
                if is_read and isinstance(node, ast.Name | ast.Attribute):
                    yield module, node

    def _leaves(self, module: Module, node: ast.expr, qualified: str) -> bool:
        """Whether a schema, or its class, goes from ``node`` to where it is not followed."""
        way, above = use_of(module, node)
        match way:
            case "called":
                return self._leaves(module, above, qualified)
            case "argument":
                return not self._is_followed(module, above)
            case "attribute":
                return above.attr in _KNOWN.dumps and not self._is_seen(module, node, qualified)
            case "returned" if isinstance(above, ast.Lambda):
                return self._leaves(module, above, qualified)
            case "bound":
                targets = targets_of(above)
                return any(self._is_handed_on(module, part, qualified) for part in targets)
        return way in {"element", "key", "returned", "same", "unpacked", "yielded"}

    def _is_followed(self, module: Module, call: ast.Call) -> bool:
        above = module.parent(call)
        name = last_name(call.func)
        is_decorator = isinstance(above, Function) and call in above.decorator_list
        return name in _FOLLOWED or (is_decorator and name in _KNOWN.decorators)

    def _is_seen(self, module: Module, node: ast.expr, qualified: str) -> bool:
        """Whether it is known that what writes there is the schema."""
        shapes = self._schemas.instances(module, node)
        return any(shape.name == qualified for shape in shapes)

    @recursive(lambda *_: True)
    def _is_handed_on(self, module: Module, target: ast.expr, qualified: str) -> bool:
        """Whether what is kept in a variable, or an attribute, goes on from there."""
        name = last_name(target)
        if not name or self._is_of_library(module, target):
            return True
        home = module.enclosing_function(target)
        is_local = isinstance(target, ast.Name) and home is not None
        mentions = [
            (other, node)
            for other, node in self._mentions(name)
            if not is_local or (other is module and module.enclosing_function(node) is home)
        ]
        return any(self._leaves(other, node, qualified) for other, node in mentions)

    def _is_of_library(self, module: Module, target: ast.expr) -> bool:
        """Whether a class body sets it that a library has made the base of: it reads it there."""
        above = module.parent(module.parent(target) or target)
        if not isinstance(above, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(module.full_name(above))
        return (
            ancestors is None
            or bool(ancestors.unresolved)
            or bool({*ancestors.outside} - {"builtins.object"})
        )
