"""Limits: what holds tasks back, in the function that starts them and in those that they run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.source.trees import Function
from awaken.project.source.worklist import MOST_FUNCTIONS, Worklist
from awaken.project.values.domain import FunctionOf, Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_HOLDING_BACK = name_list("holding_back")
_IN_PARTS = name_list("in_parts")
_WORK = name_list("words_of_io")


def is_limited_here(module: Module, started: ast.Call) -> bool:
    """Whether the functions around ``started`` name or check anything that may limit the tasks."""
    return any(
        isinstance(above, Function)
        and (bool(_tokens(above) & (_HOLDING_BACK | _IN_PARTS)) or _checks_size(above))
        for above in module.ancestors(started)
    )


def works_without_limit(
    project: Project, module: Module, started: ast.Call, called: ast.expr
) -> bool:
    """Whether a task of ``called`` asks for something outside, and nothing on its way limits it."""
    if _tokens(called) & (_HOLDING_BACK | _IN_PARTS):
        return False
    works = bool(_tokens(called) & _WORK)
    starts = _functions(project, module, started, called)
    waiting = Worklist(starts, lambda pair: (pair[0].path, pair[1].lineno))
    for home, function in waiting:
        if len(waiting.seen) > MOST_FUNCTIONS or _tokens(function) & _HOLDING_BACK:
            return False
        for awaited in _awaited_calls(function):
            works = works or bool(_tokens(awaited.func) & _WORK)
            waiting += _functions(project, home, awaited, awaited.func)
    return works


def _functions(
    project: Project, module: Module, call: ast.Call, called: ast.expr
) -> Iterator[tuple[Module, Function]]:
    """Yield the functions that ``called`` may be, which ``call`` calls or is passed."""
    if called is not call.func:
        for value in project.values.of(module, called).alternatives:
            if isinstance(value, FunctionOf) and isinstance(value.node, Function):
                yield value.module, value.node
        return
    functions = project.calls.functions_called(module, call)
    for function in () if isinstance(functions, Unknown) else functions:
        yield function.module, function.function


def _awaited_calls(function: Function) -> Iterator[ast.Call]:
    """Yield the calls that ``function`` awaits, or enters."""
    for node in ast.walk(function):
        match node:
            case ast.Await(value=ast.Call() as call):
                yield call
            case ast.AsyncWith():
                yield from (
                    one.context_expr for one in node.items if isinstance(one.context_expr, ast.Call)
                )


def _words(root: ast.AST) -> Iterator[str]:
    """Yield all names below ``root``, keywords included."""
    for node in ast.walk(root):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str() as word):
                yield word
            case ast.arg(arg=word) | ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word):
                yield word


def _tokens(node: ast.AST) -> set[str]:
    """Return the words of the names below ``node``: of ``BoundedSemaphore`` there are two."""
    return {token.lower() for word in _words(node) for token in _TOKEN.findall(word)}


def _checks_size(function: Function) -> bool:
    """Whether ``function`` compares the length of something with what it may be at most."""
    return any(
        isinstance(node, ast.Compare)
        and any(
            isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "len"
            for part in (node.left, *node.comparators)
        )
        and not all(
            isinstance(part, ast.Constant) and part.value in {0, 1} for part in node.comparators
        )
        for node in ast.walk(function)
    )
