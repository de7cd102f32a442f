"""The functions of the project that a call reaches, where that can be told."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator

from msgspec import Struct, structs

from awaken.contract import Place
from awaken.knowledge.decorators import DecoratorEffect
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.remade_classes import why_remade
from awaken.project.names.functions.decorators import decorator_names, method_kind
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function, is_super
from awaken.project.values.calls.decorator_effects import decorator_effects
from awaken.project.values.domain import FunctionOf, InstanceOf, Unknown, Value

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class OverrideSet(Struct, frozen=True):
    """A function that a call seems to reach, and the methods that may run in its place.

    ``receiver`` is what it was read off, if anything. ``alone`` says that nothing overrides it.
    """

    module: Module
    node: Function
    receiver: Value | None
    alone: bool = False

    @property
    def key(self) -> Hashable:
        """A key that is equal for all calls that reach the same functions; it holds no tree."""
        is_instance = isinstance(self.receiver, InstanceOf)
        bound = "instance" if is_instance else "class" if self.receiver is not None else ""
        return self.module.path, self.module.span(self.node).start, bound, self.alone


class Called(Struct, frozen=True):
    """The function that a call reaches; ``bound`` is 1 if the receiver is its first argument."""

    module: Module
    function: Function
    bound: int


def function_called(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> Called | Unknown:
    """Return the only function that ``call`` can reach; Unknown says why there is none."""
    callees = functions_called(evaluator, module, call)
    if isinstance(callees, Unknown) or len(callees) == 1:
        return callees if isinstance(callees, Unknown) else callees[0]
    other = callees[1]
    owner = other.module.parent(other.function)
    name = owner.name if isinstance(owner, ast.ClassDef) else ""
    why = f"`{name}` has a `{other.function.name}` as well"
    return evaluator.unknown(other.module, other.function, why)


def functions_called(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> tuple[Called, ...] | Unknown:
    """Return the functions that ``call`` can reach: one, or a method and those that override it.

    The first is the one that it seems to reach. Unknown says why they are not all visible.
    """
    overrides = called_override_set(evaluator, module, call)
    return overrides if isinstance(overrides, Unknown) else functions_of(evaluator, overrides)


def functions_behind(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> tuple[Called, ...] | Unknown:
    """Return the functions that get the arguments of ``call`` and whose result it gives.

    As ``functions_called``, but also through wrappers of the program that forward both. These run
    code of their own, which may raise, block or do anything else.
    """
    overrides = called_override_set(evaluator, module, call)
    if isinstance(overrides, Unknown):
        return overrides
    return _functions_of(evaluator, overrides, "forwards")


def functions_run(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> tuple[Called, ...] | Unknown:
    """Return the functions that may run when ``call`` does, with the decorators around them.

    These are decorators of the program, each with all that it has of functions.
    """
    overrides = called_override_set(evaluator, module, call)
    callees = (
        overrides
        if isinstance(overrides, Unknown)
        else _functions_of(evaluator, overrides, "calls")
    )
    if isinstance(callees, Unknown):
        return callees
    decorators = (
        evaluator.forwarding.definition(name)
        for callee in callees
        for name in decorator_names(evaluator.names, callee.module, callee.function)
        if name is not None
    )
    around = {pair[0].key_of(pair[1]): pair for pair in decorators if pair is not None}
    return (*callees, *(Called(*around[key], 0) for key in sorted(around)))


def called_override_set(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> OverrideSet | Unknown:
    """Return the function that ``call`` seems to reach, with whatever overrides it."""
    seems = _seems_to_reach(evaluator, module, call)
    if isinstance(seems, Unknown) or not isinstance(seems.module.parent(seems.node), ast.ClassDef):
        return seems
    return structs.replace(seems, alone=_is_certain(evaluator, module, call))


def functions_of(
    evaluator: ProgramEvaluator, overrides: OverrideSet
) -> tuple[Called, ...] | Unknown:
    """Return the functions of an override set, as ``functions_called`` does."""
    return _functions_of(evaluator, overrides, "same")


def _functions_of(
    evaluator: ProgramEvaluator, overrides: OverrideSet, effect: DecoratorEffect
) -> tuple[Called, ...] | Unknown:
    called = _as_called(evaluator, overrides.module, overrides.node, overrides.receiver, effect)
    owner = overrides.module.parent(overrides.node)
    if isinstance(called, Unknown) or not isinstance(owner, ast.ClassDef):
        return called if isinstance(called, Unknown) else (called,)
    callees = [called]
    others = _relatives(evaluator, overrides.module, owner, overrides.node.name)
    for other in () if overrides.alone else others:
        # Each may be what runs, so all must be known.
        callee = _as_relative(evaluator, other, overrides.receiver, effect)
        if isinstance(callee, Unknown):
            return callee
        if callee.bound != called.bound:
            why = f"`{overrides.node.name}` is not always bound"
            return evaluator.unknown(callee.module, callee.function, why)
        callees.append(callee)
    return tuple(callees)


def _as_relative(
    evaluator: ProgramEvaluator,
    relative: tuple[Module, Function] | Unknown,
    receiver: Value | None,
    effect: DecoratorEffect,
) -> Called | Unknown:
    if isinstance(relative, Unknown):
        return relative
    return _as_called(evaluator, *relative, receiver, effect)


def _seems_to_reach(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> OverrideSet | Unknown:
    if isinstance(call.func, ast.Attribute) and is_super(call.func.value):
        return _method_above(evaluator, module, call, call.func.attr)
    values = evaluator.values(module, call.func)
    value = values[0] if len(values) == 1 else None
    if isinstance(value, FunctionOf) and isinstance(value.node, _FUNCTIONS):
        return OverrideSet(value.module, value.node, value.bound)
    unknown = next((candidate for candidate in values if isinstance(candidate, Unknown)), None)
    why = f"`{module.excerpt(call.func)}` is not a visible function"
    return unknown or evaluator.unknown(module, call, why)


def _is_certain(evaluator: ProgramEvaluator, module: Module, call: ast.Call) -> bool:
    """Whether ``super()`` is the class above, as no class has several bases of the project."""
    if not isinstance(call.func, ast.Attribute) or not is_super(call.func.value):
        return False
    qualified = module.full_name(module.enclosing_class(call))
    return evaluator.callers.hierarchy(qualified).is_linear


def _method_above(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call, method: str
) -> OverrideSet | Unknown:
    """Return the method that ``super()`` finds; other bases of subclasses are its relatives."""
    qualified = module.full_name(module.enclosing_class(call))
    for facts in evaluator.classes.line(qualified)[1:]:
        home, node = evaluator.classes.node(facts.qualified) or (None, None)
        if home is None or node is None:
            break
        scope = home.scopes.scope_made_by(node)
        bindings = scope.bindings_of(method)
        if len(bindings) == 1 and isinstance(bindings[0].node, _FUNCTIONS):
            return OverrideSet(home, bindings[0].node, InstanceOf(qualified))
        if bindings:
            # Bound to something else, or twice: classes further up are not reached.
            break
    return evaluator.unknown(module, call, f"the target of `super().{method}` is unknown")


def _as_called(
    evaluator: ProgramEvaluator,
    home: Module,
    function: Function,
    receiver: Value | None,
    effect: DecoratorEffect,
) -> Called | Unknown:
    # Any other decorator may put something else in place of the function.
    for decorator in function.decorator_list:
        effects = decorator_effects(evaluator, home, decorator)
        if effect not in effects or "outside" in effects:
            return evaluator.unknown(home, function, f"`{function.name}` has a decorator")
    match method_kind(decorator_names(evaluator.names, home, function)):
        case "static":
            is_bound = False
        case "class":
            is_bound = receiver is not None
        case "instance":
            is_bound = isinstance(receiver, InstanceOf)
    return Called(home, function, int(is_bound))


def _relatives(
    evaluator: ProgramEvaluator, home: Module, owner: ast.ClassDef, method: str
) -> Iterator[tuple[Module, Function] | Unknown]:
    """Yield the methods that override one of ``owner``, or that it overrides."""
    hierarchy = evaluator.callers.hierarchy(home.full_name(owner))
    # Asked in this order: only looking for descendants tells whether they are too many.
    if hierarchy.descendants and hierarchy.is_too_large:  # then reading them all would not help
        yield evaluator.unknown(home, owner, f"`{owner.name}` is named in too many files")
        return
    binding = hierarchy.binding(method)
    if binding is None:
        yield evaluator.unknown(home, owner, f"many classes may fulfil `{owner.name}`")
        return
    other = hierarchy.without_tree(method)
    if other is not None:
        why = f"`{other.qualified.rpartition('.')[2]}` may have a `{method}` as well"
        yield Unknown(why, Place(other.path, other.span))
    base = hierarchy.base_before(method)
    if base is not None:
        yield evaluator.unknown(home, owner, f"`{base}` may have a `{method}` as well")
        return
    line = evaluator.classes.line(home.full_name(owner))
    names = sorted(hierarchy.descendants | {facts.qualified for facts in line})
    remade = next(filter(None, (why_remade(evaluator, name, method) for name in names)), "")
    if remade:
        yield evaluator.unknown(home, owner, remade)
        return
    for module, relative in binding:
        scope = module.scopes.scope_made_by(relative)
        bindings = scope.bindings_of(method)
        is_same = same_node(module, relative, home, owner)
        if len(bindings) == 1 and isinstance(bindings[0].node, _FUNCTIONS) and not is_same:
            yield module, bindings[0].node
        # Anything else of that name may run; one binding may be the method that was asked about.
        elif len(bindings) > is_same:
            why = f"`{relative.name}` has a `{method}` as well"
            yield evaluator.unknown(module, bindings[-1].node, why)
