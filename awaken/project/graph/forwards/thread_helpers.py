"""Helpers of a program that run a function in a thread, and give what it returns.

``async def in_thread(f, *args): return await asyncio.to_thread(f, *args)``
"""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import library_names
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module
from awaken.project.values.domain import FunctionOf

_THREADS = library_names().in_threads.keys()
_LOOPS = library_names().loop_getters


def runs_in_thread(evaluator: ProgramEvaluator, module: Module, call: ast.Call) -> bool:
    """Whether ``call`` calls its first argument with the others in a thread, and no more."""
    if not isinstance(module.parent(call), ast.Await):
        return False
    values = evaluator.values(module, call.func)
    return bool(values) and all(
        isinstance(value, FunctionOf) and _is_helper(evaluator.names, value.module, value.node)
        for value in values
    )


def _is_helper(names: Names, module: Module, function: ast.AST) -> bool:
    match function:
        case ast.AsyncFunctionDef(
            args=ast.arguments(
                posonlyargs=[], args=[ast.arg(arg=called)], vararg=ast.arg(arg=rest), kwonlyargs=[]
            ),
            decorator_list=[],
        ):
            keywords = function.args.kwarg
            passed = _Passed(called, rest, "" if keywords is None else keywords.arg)
            return _gives(names, module, function, passed)
    return False


class _Passed:
    """The parameters of a helper: what it calls, and with what."""

    def __init__(self, called: str, rest: str, keywords: str) -> None:
        self._called = called
        self._rest = rest
        self._keywords = keywords

    def are_all(self, arguments: list[ast.expr], keywords: list[ast.keyword]) -> bool:
        """Whether a call passes the function, and all the others after it."""
        match arguments:
            case [ast.Name(id=called), *others] if called == self._called:
                return self.are_others(others, keywords)
        return False

    def are_others(self, arguments: list[ast.expr], keywords: list[ast.keyword]) -> bool:
        """Whether a call passes all but the function, and nothing else."""
        match arguments:
            case [ast.Starred(value=ast.Name(id=rest))] if rest == self._rest:
                pass
            case _:
                return False
        match keywords:
            case []:
                return not self._keywords
            case [ast.keyword(arg=None, value=ast.Name(id=named))]:
                return named == self._keywords
        return False

    def are_called(self, node: ast.expr) -> bool:
        """Whether ``node`` is a lambda that calls the function with all the others."""
        match node:
            case ast.Lambda(
                args=ast.arguments(posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kwarg=None),
                body=ast.Call(func=ast.Name(id=called)) as call,
            ):
                return called == self._called and self.are_others(call.args, call.keywords)
        return False


def _gives(names: Names, module: Module, function: ast.AsyncFunctionDef, passed: _Passed) -> bool:
    loop = ""
    match [statement for statement in function.body if not _runs_nothing(statement)]:
        case [ast.Assign(targets=[ast.Name(id=loop)], value=made), last] if _is_loop(
            names, module, made
        ):
            pass
        case [last]:
            pass
        case _:
            return False
    match last:
        case ast.Return(value=ast.Await(value=ast.Call() as call)):
            pass
        case _:
            return False
    if names.qualified_name(module, call.func) in _THREADS:
        return passed.are_all(call.args, call.keywords)
    match call:
        case ast.Call(
            func=ast.Attribute(value=owner, attr="run_in_executor"),
            args=[ast.Name() | ast.Attribute() | ast.Constant(), run, *others],
            keywords=[],
        ):
            is_name = isinstance(owner, ast.Name) and loop and owner.id == loop
            if not is_name and not _is_loop(names, module, owner):
                return False
            if others:
                return passed.are_all([run, *others], [])
            return passed.are_called(run) or _is_partial(names, module, run, passed)
    return False


def _runs_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring or an import."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
    return False


def _is_partial(names: Names, module: Module, node: ast.expr, passed: _Passed) -> bool:
    if (
        not isinstance(node, ast.Call)
        or names.qualified_name(module, node.func) != "functools.partial"
    ):
        return False
    return passed.are_all(node.args, node.keywords)


def _is_loop(names: Names, module: Module, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and names.qualified_name(module, node.func) in _LOOPS
