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


def _raises_again(evaluator: Questions, module: Module, generator: Function) -> bool:
    """Whether a generator raises each exception that it gets at a ``yield``."""
    nodes = list(module.walk(generator))
    return not any(isinstance(node, ast.YieldFrom) for node in nodes) and all(
        _is_raised_around(evaluator, module, generator, node)
        for node in nodes
        if isinstance(node, ast.Yield)
    )


def returns_nothing_true(module: Module, function: Function) -> bool:
    """Whether a function returns nothing true: as an ``__exit__`` it ends no exception."""
    return all(
        isinstance(value, ast.Constant) and not value.value
        for value in module.returned_by(function)
    )


def _lets_through(evaluator: Questions, module: Module, manager: ast.expr) -> bool:
    generator = _generator_of(evaluator, module, manager)
    if generator is not None:
        return _raises_again(evaluator, *generator)
    return bool(values := _managers(evaluator, module, manager)) and all(
        _ends_nothing(evaluator, module, manager, value) for value in values
    )


def _is_raised_around(
    evaluator: Questions, module: Module, function: Function, node: ast.AST
) -> bool:
    """Whether what is raised at a node of a function leaves the function as an exception."""
    for below, above in module.steps_up(node):
        if above is function:
            return True
        match above:
            case ast.Try():
                handlers = [each.body for each in above.handlers if below in above.body]
                last = [] if below in above.finalbody else above.finalbody
                if not all(map(always_returns, handlers)) or _leaves(module, last, *handlers):
                    return False
            case ast.TryStar():
                return False
            case ast.With() | ast.AsyncWith() if below in above.body:
                if not lets_through(evaluator, module, above):
                    return False
    return False


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
            result = evaluator.library.called(method, module, call, ())
            # Stubs declare `bool` where an exception may end.
            return result is not None and all(
                isinstance(value, NoneValue)
                or (isinstance(value, Producer) and value.inner == (NoneValue(),))
                for value in result
            )
    return False
