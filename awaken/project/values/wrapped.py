"""Arguments of a decorator's wrapper: those that it passes on to the decorated function.

``def wrapper(*args): return function(*args)`` binds the arguments as the decorated functions do, so
``args[1]`` is what their second parameter is, and ``kwargs["user"]`` is what their ``user`` is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.names.functions.decorator_code import DecoratorCode
from awaken.project.names.resolution import Names
from awaken.project.source.expressions.expression_uses import only_reads
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    parameters_of,
    positional_parameters,
    without_arguments,
)
from awaken.project.values.calls.decorator_effects import decorator_effects
from awaken.project.values.domain import Environment, NoneValue, Values, union

if TYPE_CHECKING:
    from awaken.project.values.questions import Questions

_READING = name_list("views_of_dictionaries") | {"get"}
"""Methods of a dictionary that change nothing in it."""

Decorated = list[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]


def decorated_by(evaluator: Questions, qualified: str) -> Decorated | None:
    """Return the functions that a decorator of the program is used for; None if it is used else.

    A decorator that others may import may decorate their functions too.
    """
    functions = [(module, function) for module, function, _ in decorations(evaluator, qualified)]
    is_known = evaluator.follows_callers and all(function is not None for _, function in functions)
    return [(home, node) for home, node in functions if node is not None] if is_known else None


def decorations(
    evaluator: Questions, qualified: str
) -> Iterator[tuple[Module, Function | None, bool]]:
    """Yield the functions that a decorator decorates, and whether a call of it does.

    None are its other uses.
    """
    name = qualified.rpartition(".")[2]
    for module in evaluator.names.facts.mentioning(name, evaluator.files_naming(name) or ()):
        words = (name, *module.names_given_to(name))
        for node in (mention for word in words for mention in module.mentions(word)):
            if not isinstance(node, ast.Name | ast.Attribute):
                continue
            if evaluator.names.qualified_name(module, node) == qualified:
                used = module.call_of(node) or node
                above = module.parent(used)
                is_decorating = isinstance(above, Function) and used in above.decorator_list
                yield module, above if is_decorating else None, used is not node  # type: ignore[misc]


def packed_item(
    evaluator: Questions, module: Module, node: ast.Subscript, known: Environment
) -> Values | None:
    """Return what an item of the packed arguments of a wrapper is; None of anything else."""
    match node:
        case ast.Subscript(value=ast.Name() as name, slice=ast.Constant(value=int(index))) if (
            index >= 0
        ):
            bindings = module.scopes.bindings_of(name)
        case _:
            return None
    wrapper = bindings[0].scope.node if len(bindings) == 1 else None
    if not isinstance(wrapper, Function) or bindings[0].node is not wrapper.args.vararg:
        return None
    if evaluator.names.layout.published or known or not _hands_on(evaluator.names, module, wrapper):
        return None
    at = index + len(positional_parameters(wrapper))
    return _passed_to_decorated(
        evaluator, module, wrapper, lambda args: [*args.posonlyargs, *args.args][at : at + 1]
    )


def packed_keyword(
    evaluator: Questions, module: Module, node: ast.expr, known: Environment
) -> Values | None:
    """Return what a function takes out of its packed keywords; None of anything else.

    With ``get`` and ``pop`` that may be the default for a missing one.
    """
    match node:
        case ast.Subscript(value=ast.Name() as name, slice=ast.Constant(value=str(key))):
            others: Values = ()
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as name, attr="get" | "pop" as method),
            args=[ast.Constant(value=str(key))],
            keywords=[],
        ):
            # `pop` raises where there is none.
            others = (NoneValue(),) if method == "get" else ()
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as name, attr="get" | "pop"),
            args=[ast.Constant(value=str(key)), default],
            keywords=[],
        ):
            others = evaluator.values(module, default, known)
        case _:
            return None
    bindings = module.scopes.bindings_of(name)
    wrapper = bindings[0].scope.node if len(bindings) == 1 else None
    if not isinstance(wrapper, Function) or bindings[0].node is not wrapper.args.kwarg:
        return None
    if not _hands_on_keywords(evaluator.names, module, wrapper, key):
        passed = _passed_as(evaluator, module, wrapper, key)
        return None if passed is None else union(passed, others) or None
    if evaluator.names.layout.published or known:
        return None
    result = _passed_to_decorated(
        evaluator,
        module,
        wrapper,
        lambda args: [part for part in (*args.args, *args.kwonlyargs) if part.arg == key],
    )
    return union(result, others) if result else None


def _passed_to_decorated(
    evaluator: Questions,
    module: Module,
    wrapper: Function,
    chosen: Callable[[ast.arguments], list[ast.arg]],
) -> Values | None:
    """Return what a parameter of the decorated functions is, which ``chosen`` gives of each."""
    qualified = _decorator(module, wrapper)
    result: Values = ()
    for home, function in decorated_by(evaluator, qualified) or ():
        scope = home.scopes.scope_made_by(function)
        bound = [item for part in chosen(function.args) for item in scope.bindings[part.arg]]
        if len(bound) != 1 or not _is_next(evaluator, home, function, qualified):
            return None
        result = union(result, evaluator.binding(home, bound[0], ()))
    return result or None


def _passed_as(evaluator: Questions, module: Module, function: Function, key: str) -> Values | None:
    """Return what the calls of a function pass by a name, among its packed keywords."""
    packed = function.args.kwarg
    if packed is None or not evaluator.follows_callers:
        return None
    says = packed.annotation is not None and not evaluator.says_nothing(module, packed.annotation)
    if says or not _only_reads(module, function, packed, {*_READING, "pop"}):
        return None
    passed = evaluator.passed_to(module, function, ast.copy_location(ast.arg(key), packed))
    if passed.doubts or not passed.calls:
        return None
    return union(*(evaluator.values(given.module, given.node) for given in passed.given))


def _hands_on_keywords(names: Names, module: Module, wrapper: Function, key: str) -> bool:
    """Whether each call of what is decorated gets the keywords of the wrapper as they came."""
    packed = wrapper.args.kwarg
    calls = _calls_of_decorated(names, module, wrapper)
    if packed is None or not calls or any(one.arg == key for one, _ in parameters_of(wrapper.args)):
        return False
    for call in calls:
        unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
        if any(keyword.arg == key for keyword in call.keywords) or len(unpacked) != 1:
            return False
        if not isinstance(unpacked[0], ast.Name) or unpacked[0].id != packed.arg:
            return False
    return _only_reads(module, wrapper, packed, _READING)


def _only_reads(
    module: Module, function: Function, packed: ast.arg, methods: Collection[str]
) -> bool:
    """Whether a function calls nothing but ``methods`` of its packed keywords, and reads them."""
    return all(
        only_reads(module, node, methods)
        for node in module.nodes_below(function, ast.Name)
        if node.id == packed.arg
    )


def _hands_on(names: Names, module: Module, wrapper: Function) -> bool:
    """Whether each call of what is decorated gets the arguments of the wrapper, in their places."""
    if wrapper.args.vararg is None:
        return False
    wanted = [argument.arg for argument in positional_parameters(wrapper)]
    wanted.append(f"*{wrapper.args.vararg.arg}")
    calls = _calls_of_decorated(names, module, wrapper)
    return bool(calls) and all(list(map(ast.unparse, call.args)) == wanted for call in calls)


def _calls_of_decorated(names: Names, module: Module, wrapper: Function) -> list[ast.Call]:
    """Return the calls, in a wrapper, of what the decorator around it is given."""
    decorator = module.enclosing_function(wrapper)
    if not isinstance(decorator, Function):
        return []
    calls = DecoratorCode(names, module, decorator).calls()
    return [call for call in calls if wrapper in module.ancestors(call)]


def _decorator(module: Module, wrapper: Function) -> str:
    """Return the name of the decorator, or of the function that makes it, around ``wrapper``."""
    decorator = module.enclosing_function(wrapper)
    maker = None if decorator is None else module.enclosing_function(decorator)
    outermost = decorator if maker is None else maker
    if not isinstance(outermost, Function):
        return ""
    return module.full_name(outermost)


def _is_next(evaluator: Questions, home: Module, function: Function, qualified: str) -> bool:
    """Whether nothing between a decorator of ``function`` and that passes other arguments."""
    for decorator in reversed(function.decorator_list):
        if evaluator.names.qualified_name(home, without_arguments(decorator)) == qualified:
            return True
        if "forwards" not in decorator_effects(evaluator, home, decorator):
            return False
    return False
