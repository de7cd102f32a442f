"""Managers that a call makes of a generator: ``contextmanager(get_db)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import MANAGER
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_twin
from awaken.kit.changes import Member, member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import Producer, functions_in

_WORD = MANAGER.rpartition(".")[2].encode()


def made_managers(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the rewrites of calls that make a manager of a generator which becomes asynchronous."""
    for module, node in nodes_with(part.project, (_WORD,), ast.Call):
        if len(node.args) != 1:
            continue
        if part.project.qualified_name(module, node.func) != MANAGER:
            continue
        functions = _given_functions(part, module, node.args[0])
        if any(function in part.steps for function in functions):
            site: Site[ast.AST] = Site(rule, module, node.func)
            along = tuple(function.place for function in functions)
            made = member(site, f"`{module.excerpt(node)}`", _rewritten, part, functions)
            yield Member(made.site, made.outcome, made.shown, along)


def gives_manager(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether ``call``, which reaches a generator, gives a manager that was made of it."""
    found = part.project.values.of(module, call).alternatives
    return bool(found) and all(isinstance(one, Producer) and one.how == "manager" for one in found)


def _given_functions(part: SynchronousPart, module: Module, node: ast.expr) -> list[FunctionPlace]:
    """Return the functions of the program that ``node`` may be."""
    functions = functions_in(part.project.values.of(module, node).alternatives)
    return [part.place_of(*pair) for pair in functions]


def _rewritten(site: Site[ast.AST], part: SynchronousPart, given: list[FunctionPlace]) -> Rewrite:
    """Return what makes an asynchronous manager. Raises Refused."""
    node = site.node
    others = [item for item in given if item not in part.steps and not part.is_asynchronous(item)]
    if others or not isinstance(node, ast.expr):
        raise Refused(reasons.HANDED_ON, given[0].qualname)
    written, edits = write_twin(part.project, site, node, MANAGER)
    return Rewrite(f"`{written}` makes `{given[0].qualname}` a context manager", edits)


def entered_with_options(module: Module, made: ast.expr) -> ast.Call | None:
    """Return `engine.connect().execution_options(...)` of a ``with``, around ``made``.

    None of anything else. An engine takes the same options, and is there before it connects.
    """
    outer = module.method_call_on(made)
    if outer is None or not isinstance(module.parent(outer), ast.withitem):
        return None
    match made:
        case ast.Call(func=ast.Attribute(attr="connect"), args=[], keywords=[]):
            return outer if last_name(outer.func) == "execution_options" else None
    return None


def is_entered_with_options(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` gives options to a connection that a ``with`` enters."""
    match node:
        case ast.Call(func=ast.Attribute(value=made)):
            return entered_with_options(module, made) is node
    return False
