"""The kind of awaitable that an expression gives: a coroutine, a task or a future."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from msgspec import Struct, structs

from awaken.knowledge.coroutines import Awaitable, coroutines
from awaken.project.effects.callees import Callees
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.dispatch import OverrideSet, called_override_set, functions_of
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.memo import cached_by, recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import NOWHERE, InstanceOf, Producer, Unknown, Value
from awaken.project.values.local.context_managers import returns_in_the_end
from awaken.project.values.local.flow import local_flow

_Answer = Awaitable | Unknown | None


class _OutOfSight(Struct, frozen=True):
    """A call may reach functions that are not visible, with the reason."""

    why: Unknown


class Differs(Unknown, frozen=True):
    """A method has different results in the classes that may be meant."""


class Awaitables:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator, callees: Callees) -> None:
        self._evaluator = evaluator
        self._callees = callees
        self._known = coroutines()

    def kind_of(self, module: Module, node: ast.expr) -> _Answer:
        """Return what ``node`` gives; None if it is proven to be nothing that can be awaited.

        ``awaitable`` is one of the others, or an object with ``__await__``. Unknown has the reason.
        Methods that override one count: all that a call can reach must give the same.
        """
        if isinstance(node, ast.Call):
            return self._of_call(module, node, self._of_called_set)
        return self._part(module, node)

    @recursive(lambda self, *asked: self._unknown(*asked, "too much has to be followed to tell"))
    def _part(self, module: Module, node: ast.expr) -> _Answer:
        """Return the same for what the answer to another question depends on."""
        match node:
            case ast.Call():
                return self._of_call(module, node, self._of_functions)
            case ast.Name():
                return self._of_name(module, node)
            case ast.NamedExpr():
                return self._part(module, node.value)
            case _ if len(parts := branches(node)) > 1:
                return self._agreed_answer(module, node, parts)
        return self._of_values(module, node)

    def gives_coroutine(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` is proved to give a coroutine.

        As ``of`` says, and cheaper where it is none. Replacements of the called function are
        checked only if that one gives a coroutine.
        """
        return not self._seems_plain(module, call) and self.kind_of(module, call) == "coroutine"

    def _seems_plain(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` seems to reach a function of the program that gives no coroutine."""
        if self.library_names(module, call) != ():
            return False
        overrides = called_override_set(self._evaluator, module, call)
        if isinstance(overrides, Unknown) or isinstance(overrides.node, ast.AsyncFunctionDef):
            return False
        return self._of_function(overrides.module, overrides.node) != "coroutine" and not is_stub(
            self._evaluator, overrides.module, overrides.node
        )

    def library_names(self, module: Module, call: ast.Call) -> tuple[str, ...] | Unknown:
        """Return the library functions that ``call`` may call, empty if it is the program's own.

        As in ``Callees``.
        """
        return self._callees.library_names(module, call.func)

    def _unknown(self, module: Module, node: ast.AST, why: str) -> Unknown:
        return self._evaluator.unknown(module, node, why)

    # ------------------------------------------------------------------------------------ calls
    def _of_call(
        self, module: Module, node: ast.Call, answer: Callable[[OverrideSet], _Answer | _OutOfSight]
    ) -> _Answer:
        names = self.library_names(module, node)
        if isinstance(names, Unknown):
            return names
        if names:
            return self._of_library(names, module, node)
        overrides = called_override_set(self._evaluator, module, node)
        if isinstance(overrides, Unknown):
            return self._unless_a_value(overrides, module, node)
        out_of_sight = answer(overrides)
        match out_of_sight:
            case _OutOfSight(why=why):
                return self._unless_a_value(why, module, node)
            case Unknown(place=place) if place == NOWHERE:
                return structs.replace(out_of_sight, place=module.place(node))
        return out_of_sight

    def _unless_a_value(self, why: Unknown, module: Module, node: ast.Call) -> _Answer:
        # Overrides of a method are not visible: this result proves nothing.
        return why if isinstance(node.func, ast.Attribute) else self._of_values(module, node)

    def _of_library(self, names: tuple[str, ...], module: Module, node: ast.Call) -> _Answer:
        kinds = {self._known.gives.get(name) for name in names}
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is not None:
            return kind
        why = f"the return value of `{module.excerpt(node.func)}` is unknown"
        return self._unknown(module, node, why)

    def _of_called_set(self, overrides: OverrideSet) -> _Answer | _OutOfSight:
        return self._of_override_set(overrides, self._evaluator.follows_callers)

    # Overrides of a method may be in a hundred files: each of its calls would parse them.
    @cached_by(lambda overrides, follows_callers: (overrides.key, follows_callers))
    def _of_override_set(
        self, overrides: OverrideSet, _follows_callers: bool
    ) -> _Answer | _OutOfSight:
        return self._of_functions(overrides)

    def _of_functions(self, overrides: OverrideSet) -> _Answer | _OutOfSight:
        called = functions_of(self._evaluator, overrides)
        if isinstance(called, Unknown):
            return _OutOfSight(called)
        name = called[0].function.name
        # A declaration binds its implementations; their code counts.
        real = [item for item in called if not is_stub(self._evaluator, item.module, item.function)]
        if not real:
            return Unknown(f"the implementation of `{name}` is unknown", NOWHERE)
        kinds = (self._of_function(callee.module, callee.function) for callee in real)
        return _one_of(
            kinds, Differs(f"the classes return different things from `{name}`", NOWHERE)
        )

    @recursive(
        lambda self, module, function: self._unknown(
            module, function, f"the return value of `{function.name}` depends on itself"
        )
    )
    def _of_function(self, module: Module, function: Function) -> _Answer:
        """Return what a call of ``function`` gives."""
        if module.is_generator(function):
            return None
        if isinstance(function, ast.AsyncFunctionDef):
            return "coroutine"
        returned = module.returned_by(function)
        if returned and not returns_in_the_end(self._evaluator, module, function):
            return self._unknown(module, function, f"`{function.name}` may return None")
        return self._agreed_answer(module, function, returned) if returned else None

    # ------------------------------------------------------------------------- names and values
    def _of_name(self, module: Module, node: ast.Name) -> _Answer:
        flow = local_flow(module, node)
        reaching = flow.reaching(node) if flow is not None else None
        if isinstance(reaching, Unknown):
            return reaching
        if not reaching:
            return self._of_values(module, node)
        kinds = (self._of_binding(module, node, binding) for binding in reaching)
        why = f"`{node.id}` may be several things"
        return self._one_of(kinds, module, node, why)

    def _of_binding(self, module: Module, node: ast.Name, binding: Binding) -> _Answer:
        declared = binding.declared_annotation
        kind = None if declared is None else self._of_annotation(module, declared)
        if kind is not None:
            return kind
        if binding.kind in {"assignment", "walrus"} and binding.value is not None:
            return self._part(module, binding.value)
        return self._of_values(module, node)

    def _of_annotation(self, module: Module, annotation: ast.expr) -> Awaitable | None:
        if isinstance(annotation, ast.Constant):
            annotation = module.parse_string(annotation) or annotation
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        name = self._evaluator.names.qualified_name(module, annotation)
        return self._known.classes.get(name or "")

    def _agreed_answer(self, module: Module, node: ast.AST, parts: Iterable[ast.expr]) -> _Answer:
        kinds = (self._part(module, part) for part in parts)
        return self._one_of(kinds, module, node, "it may be several things")

    def _one_of(self, kinds: Iterable[_Answer], module: Module, node: ast.AST, why: str) -> _Answer:
        return _one_of(kinds, self._unknown(module, node, why))

    def _of_values(self, module: Module, node: ast.expr) -> _Answer:
        values = self._evaluator.values(module, node)
        unknown = next((value for value in values if isinstance(value, Unknown)), None)
        if unknown is not None:
            return unknown
        why = f"`{module.excerpt(node)}` may be several things"
        return self._one_of([self._of_value(value) for value in values], module, node, why)

    def _of_value(self, value: Value) -> Awaitable | None:
        match value:
            case Producer(how="coroutine" | "awaitable" as how):
                return how
            case InstanceOf():
                return self._known.classes.get(value.qualified)
        return None


def _one_of(kinds: Iterable[_Answer], otherwise: Unknown) -> _Answer:
    """Return what all ``kinds`` are; ``otherwise`` where they differ."""
    result: set[_Answer] = set()
    for kind in kinds:
        result.add(kind)
        # Nothing that follows makes it certain again.
        if isinstance(kind, Unknown):
            return kind
        if len(result) > 1:
            return otherwise
    return result.pop() if result else None
