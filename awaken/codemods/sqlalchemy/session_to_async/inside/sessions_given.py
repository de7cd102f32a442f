"""Calls that pass a session, and functions that keep the session they get."""

from __future__ import annotations

import ast
from itertools import takewhile
from typing import TYPE_CHECKING

from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of

if TYPE_CHECKING:
    from awaken.project import Project

_USING = (ast.Attribute, ast.BoolOp, ast.Call, ast.Compare, ast.Expr, ast.If, ast.UnaryOp)
"""What uses a session and does not keep it: its methods, what it is passed to, conditions."""
_LATER = (ast.AsyncFunctionDef, ast.FunctionDef, ast.GeneratorExp, ast.Lambda)


def is_session(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an expression is a synchronous session, whatever else is not known."""
    proof = project.orm.session_of(module, node)
    return isinstance(proof, SessionProof) and proof.kind == "session"


def session_given(project: Project, module: Module, call: ast.Call) -> ast.expr | None:
    """Return the only session that is passed to a call, as a name or an attribute."""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg is not None)]
    nodes = [
        argument
        for argument in given
        if isinstance(argument, ast.Name | ast.Attribute) and is_session(project, module, argument)
    ]
    return nodes[0] if len(nodes) == 1 else None


def is_within_run_sync(module: Module, call: ast.Call) -> bool:
    """Whether a call is passed the session of ``run_sync``: its lambda passes that on."""
    around = next((node for node in module.ancestors(call) if isinstance(node, ast.Lambda)), None)
    running = None if around is None else module.parent(around)
    if around is None or not around.args.args or not isinstance(running, ast.Call):
        return False
    is_first = running.args[:1] == [around] and isinstance(running.func, ast.Attribute)
    name = around.args.args[0].arg
    arguments = arguments_of(call)
    is_passed = any(
        isinstance(argument, ast.Name) and argument.id == name for argument in arguments
    )
    return is_first and is_passed and getattr(running.func, "attr", "") == "run_sync"


def keeps_session(project: Project, module: Module, function: Function) -> bool:
    """Whether a function puts a session where it may be found when the function is over."""
    for node in module.walk(function):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if not is_session(project, module, node):
            continue
        if _is_kept(module, node) or _may_run_later(module, node, function):
            return True
    return False


def _is_kept(module: Module, node: ast.expr) -> bool:
    above = module.parent(node)
    match above:
        case ast.keyword():
            return module.call_taking(node) is None
        case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign(target=ast.Name()):
            return False
    return not isinstance(above, _USING)


def _may_run_later(module: Module, node: ast.expr, function: Function) -> bool:
    """Whether ``node`` is in code that may run after ``function`` has ended."""
    inside = takewhile(lambda ancestor: ancestor is not function, module.ancestors(node))
    return any(isinstance(part, _LATER) for part in inside)
