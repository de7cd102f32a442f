"""Context managers: whether they end the exceptions of their block.

An exception ends where ``__exit__`` returns something true (PEP 343). Of a generator that
``contextmanager`` wraps, that is where a handler around its ``yield`` raises nothing.
"""

from __future__ import annotations

import ast
from functools import partial

from awaken.knowledge.running import running
from awaken.project.names.functions.decorators import MANAGERS, TRANSPARENT, decorator_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, always_returns
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import (
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    Producer,
    Session,
    Value,
    Values,
)
from awaken.project.values.questions import Questions

_LEAVING = (ast.Break, ast.Continue, ast.Return)


def lets_through(evaluator: Questions, module: Module, block: ast.With | ast.AsyncWith) -> bool:
    """Whether the managers of a block are proved to end no exception of it."""
    return all(_lets_through(evaluator, module, item.context_expr) for item in block.items)


def returns_in_the_end(evaluator: Questions, module: Module, function: Function) -> bool:
    """Whether every way through a function ends in ``return`` or ``raise``."""
    return always_returns(function.body, partial(lets_through, evaluator, module))


def ends_by_the_program(evaluator: Questions, module: Module, manager: ast.expr) -> bool:
    """Whether code of the program may end exceptions of a block that ``manager`` enters.

    Other managers count as if they did not, unless they are known.
    """
    values = evaluator.values(module, manager)
    is_own = any(
        isinstance(value, InstanceOf) and evaluator.classes.facts(value.qualified) is not None
        for value in values
    )
    is_generator = _generator_of(evaluator, module, manager) is not None
    return (is_own or is_generator) and not _lets_through(evaluator, module, manager)


def _generator_of(
    evaluator: Questions, module: Module, manager: ast.expr
) -> tuple[Module, Function] | None:
    """Return the generator function of the program whose call alone gives a manager."""
    if not isinstance(manager, ast.Call):
        return None
    match evaluator.values(module, manager.func):
        case (FunctionOf(module=home, node=ast.FunctionDef() | ast.AsyncFunctionDef() as node),):
            names = decorator_names(evaluator.names, home, node)
            is_plain = not names.isdisjoint(MANAGERS) and names <= MANAGERS | TRANSPARENT
            return (home, node) if is_plain else None
    return None


def returns_nothing_true(module: Module, function: Function) -> bool:
    """Whether a function returns nothing true: as an ``__exit__`` it ends no exception."""
    return all(
        isinstance(value, ast.Constant) and not value.value
        for value in module.returned_by(function)
    )


def _lets_through(evaluator: Questions, module: Module, manager: ast.expr) -> bool:
    # A generator may enter itself again.
    waiting = Worklist([(module, manager)], lambda pair: pair[0].place(pair[1]))
    for home, entered in waiting:
        generator = _generator_of(evaluator, home, entered)
        if generator is None:
            values = _managers(evaluator, home, entered)
            if not values or not all(_ends_nothing(evaluator, home, entered, x) for x in values):
                return False
            continue
        around = _managers_around_yields(*generator)
        if around is None:
            return False
        waiting += [(generator[0], each) for each in around]
    return True


def _managers_around_yields(module: Module, generator: Function) -> list[ast.expr] | None:
    """Return the managers that a generator waits in at its ``yield``.

    None where it does not raise each exception again that it gets there.
    """
    managers: list[ast.expr] = []
    for node in module.walk(generator):
        if isinstance(node, ast.YieldFrom):
            return None
        for below, above in module.steps_up(node) if isinstance(node, ast.Yield) else ():
            if above is generator:
                break
            if isinstance(above, ast.TryStar) or (
                isinstance(above, ast.Try) and not _raises_around(module, above, below)
            ):
                return None
            if isinstance(above, ast.With | ast.AsyncWith) and below in above.body:
                managers += [item.context_expr for item in above.items]
    return managers


def _raises_around(module: Module, guard: ast.Try, below: ast.AST) -> bool:
    """Whether an exception of a part of ``try`` leaves it, perhaps as another one."""
    handlers = [each.body for each in guard.handlers if below in guard.body]
    last = [] if below in guard.finalbody else guard.finalbody
    return all(map(always_returns, handlers)) and not _leaves(module, last, *handlers)


def _leaves(module: Module, *blocks: list[ast.stmt]) -> bool:
    """Whether a block may end by something else than an exception."""
    nodes = (node for block in blocks for statement in block for node in module.walk(statement))
    return any(isinstance(node, _LEAVING) for node in nodes)


def _managers(evaluator: Questions, module: Module, manager: ast.expr) -> Values:
    """Return what is entered; where only its result is known, what makes it."""
    values = evaluator.values(module, manager)
    if not isinstance(manager, ast.Call) or not any(isinstance(x, Producer) for x in values):
        return values
    # `begin()` of a factory that is a variable of the program.
    if isinstance(manager.func, ast.Attribute) and manager.func.attr == "begin":
        owners = evaluator.values(module, manager.func.value)
        if any(isinstance(owner, Producer) and owner.how == "factory" for owner in owners):
            return owners
    return evaluator.values(module, manager.func)


def _ends_nothing(evaluator: Questions, module: Module, manager: ast.expr, value: Value) -> bool:
    match value:
        case Session() | Producer(how="factory"):
            return True
        case External() | InstanceOf():
            if running().raises_again(value.qualified):
                return True
            is_async = isinstance(module.statement_of(manager), ast.AsyncWith)
            method = "__aexit__" if is_async else "__exit__"
            exits = evaluator.attribute(InstanceOf(value.qualified), method, module, manager)
            return bool(exits) and all(_gives_none(evaluator, module, manager, e) for e in exits)
    return False


def _gives_none(evaluator: Questions, module: Module, manager: ast.expr, method: Value) -> bool:
    match method:
        case FunctionOf(node=ast.FunctionDef() | ast.AsyncFunctionDef() as node):
            is_plain = not node.decorator_list and not method.module.is_generator(node)
            return is_plain and returns_nothing_true(method.module, node)
        case External():
            if running().raises_again(method.qualified):
                return True
            no_error: list[ast.expr] = [
                ast.copy_location(ast.Constant(None), manager) for _ in range(3)
            ]
            call = ast.copy_location(ast.Call(ast.Name(""), no_error, []), manager)
            result = evaluator.library.call_results(method, module, call, ())
            # Stubs declare `bool` where an exception may end.
            return result is not None and all(
                isinstance(value, NoneValue)
                or (isinstance(value, Producer) and value.inner == (NoneValue(),))
                for value in result
            )
    return False
