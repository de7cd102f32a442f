"""Annotations as values."""

from __future__ import annotations

import ast
import sys
from typing import Literal

from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    ClassOf,
    How,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    Value,
    Values,
    union,
)
from awaken.project.values.questions import Questions

# How a generic gives what is inside it, and which of its arguments that is.
_WRAPPERS: dict[str, tuple[Literal["same", "optional"] | How, int]] = {
    **dict.fromkeys(["ClassVar", "Final", "InitVar", "NotRequired", "Required"], ("same", 0)),
    **dict.fromkeys(["AsyncGenerator", "AsyncIterable", "AsyncIterator"], ("generator", 0)),
    **dict.fromkeys(["Generator", "Iterable", "Iterator"], ("generator", 0)),
    **dict.fromkeys(["AbstractAsyncContextManager", "AsyncContextManager"], ("manager", 0)),
    **dict.fromkeys(["AbstractContextManager", "ContextManager"], ("manager", 0)),
    # The result comes last: ``Coroutine[Y, S, R]``, ``Callable[[A], R]``.
    **dict.fromkeys(["Awaitable", "Coroutine"], ("coroutine", -1)),
    "Callable": ("callable", -1),
    "Optional": ("optional", 0),
}
_TYPING = {"typing", "typing_extensions", "collections.abc", "contextlib", "dataclasses"}


class Annotations:
    """Turns annotations into values."""

    def __init__(self, evaluator: Questions) -> None:
        self._evaluator = evaluator

    def values(self, module: Module, node: ast.expr) -> Values:
        """Return what an object annotated with ``node`` may be."""
        return self._evaluator.solved(
            ("annotation", node), module, node, lambda: self._values(module, node)
        )

    def _values(self, module: Module, node: ast.expr) -> Values:
        match node:
            case ast.Constant(value=None):
                return (NoneValue(),)
            case ast.Constant(value=str()):
                parsed = module.parse_string(node)
                if parsed is None:
                    return (self._evaluator.unknown(module, node, "the annotation is no type"),)
                return self.values(module, parsed)
            case ast.BinOp(op=ast.BitOr()):
                return union(self.values(module, node.left), self.values(module, node.right))
            case ast.Subscript():
                return self._generic(module, node)
            case ast.Name() | ast.Attribute():
                return self._named(module, node)
            case _:
                return (
                    self._evaluator.unknown(module, node, "the annotation is not a plain type"),
                )

    def _named(self, module: Module, node: ast.expr) -> Values:
        name = self._evaluator.names.qualified(module, node)
        if name is None:
            text = module.excerpt(node)
            why = f"the annotation `{text}` could not be followed to a class"
            return (self._evaluator.unknown(module, node, why),)
        located = self._evaluator.names.locate(name)
        if located is None:
            return (self._outside(module, node, name),)
        if self._evaluator.classes.facts(name) is not None:
            return (InstanceOf(name),)
        return self._alias(module, node, name)

    def _outside(self, module: Module, node: ast.expr, name: str) -> Value:
        evaluator = self._evaluator
        role = evaluator.knowledge.types.get(name)
        top = name.partition(".")[0]
        match role:
            case "session" | "scoped" | "async" | "async-scoped":
                return Session(role, place=module.place(node, "annotated"))
            case "factory":
                return Producer("factory", (Session("session"),))
            case "async-factory":
                return Producer("factory", (Session("async"),))
            case "engine" | "none":
                return InstanceOf(name)
            case _ if name.startswith("unittest.mock."):
                return NotRelevant("a mock", mock=True)
            # Before the standard library as a whole, whose other classes are no sessions.
            case _ if name in {"typing.Any", "typing_extensions.Any", "builtins.object"}:
                return evaluator.unknown(module, node, "it is annotated with no particular type")
            case _ if top in evaluator.knowledge.not_sessions or top == "builtins":
                return NotRelevant(f"annotated `{name}`")
            case _ if top in sys.stdlib_module_names and name.rpartition(".")[0] not in _TYPING:
                return NotRelevant(f"annotated `{name}`")
            case _ if name.rpartition(".")[0] in _TYPING:
                return evaluator.unknown(module, node, f"`{name}` does not say of what")
            case _:
                return InstanceOf(name)

    def _alias(self, module: Module, node: ast.expr, name: str) -> Values:
        """Follow ``SessionDep = Annotated[...]``, ``type S = ...``, ``NewType`` and ``TypeVar``."""
        evaluator = self._evaluator
        located = evaluator.names.locate(name)
        defining = evaluator.load(located.path) if located and len(located.rest) == 1 else None
        bindings = defining.scopes.module.bindings.get(located.rest[0], []) if defining else []  # type: ignore[union-attr]
        value = bindings[0].value if len(bindings) == 1 else None
        if defining is None or value is None:
            why = f"`{name}` is not a type that can be followed"
            return (evaluator.unknown(module, node, why),)
        if not isinstance(value, ast.Call):
            return self.values(defining, value)
        made_by = evaluator.names.qualified(defining, value.func) or ""
        bound = next((one.value for one in value.keywords if one.arg == "bound"), None)
        if made_by.endswith(".NewType") and len(value.args) > 1:
            bound = value.args[1]
        if bound is None or made_by.rpartition(".")[0] not in _TYPING:
            return (evaluator.unknown(module, node, f"`{name}` is not a type of one kind"),)
        return self.values(defining, bound)

    def _generic(self, module: Module, node: ast.Subscript) -> Values:
        evaluator = self._evaluator
        name = evaluator.names.qualified(module, node.value) or ""
        home, _, simple = name.rpartition(".")
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if home not in _TYPING and home != "builtins":
            return self._project_generic(module, node, name, arguments)
        if name == "builtins.type":
            simple = "Type"
        if simple == "Annotated":
            return evaluator.injected(module, arguments)
        if simple == "Union":
            return union(*(self.values(module, one) for one in arguments))
        if simple == "Type":
            return tuple(map(_class_of, self.values(module, arguments[0])))
        wrapped = _WRAPPERS.get(simple)
        if wrapped is None:
            # A container of sessions is no session itself.
            return (NotRelevant(f"annotated `{simple}[...]`"),)
        how, position = wrapped
        inner = self.values(module, arguments[position])
        if how == "optional":
            return union(inner, (NoneValue(),))
        return inner if how == "same" else (Producer(how, inner),)

    def _project_generic(
        self, module: Module, node: ast.Subscript, name: str, arguments: list[ast.expr]
    ) -> Values:
        role = self._evaluator.knowledge.types.get(name)
        if role in {"factory", "async-factory"}:
            return (Producer("factory", self.values(module, arguments[0])),)
        return self.values(module, node.value)


def _class_of(value: Value) -> Value:
    return ClassOf(value.qualified) if isinstance(value, InstanceOf) else value
