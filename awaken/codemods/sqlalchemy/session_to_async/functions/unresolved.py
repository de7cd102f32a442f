"""Calls by the name of a function that waits, of which it is not known what they call."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_CALL
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, has_decorator, parameters_of


def unresolved_calls(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the calls that may reach a function which becomes a coroutine function.

    Those with arguments that it does not take are none.
    """
    project = part.project
    by_name: defaultdict[str, list[FunctionPlace]] = defaultdict(list)
    for function in part.steps:
        by_name[function.qualname.rpartition(".")[2]].append(function)
    handed_on = {place for component in part.handed_on for place in component.calls}
    for call in project.calls.graph().unresolved(by_name):
        if call.place in handed_on:
            continue
        module = project.module(call.place.path)
        nodes = [] if module is None else module.calls_at(call.place.span)
        if module is None or not nodes or set(call.functions) & set(part.steps):
            continue
        if _is_of_session(part, module, nodes[0]):
            continue
        fitting = [one for one in by_name[call.name] if _fits(part, nodes[0], one)]
        if fitting:
            why = f"`{fitting[0].qualname}`, which becomes a coroutine function: {call.why}"
            site: Site[ast.AST] = Site(rule, module, nodes[0])
            yield Member(site, Refused(UNKNOWN_CALL, why), f"`{module.excerpt(nodes[0])}`")


def _is_of_session(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether a method of a session is called, as those who call the function around tell."""
    if not isinstance(call.func, ast.Attribute):
        return False
    return isinstance(part.project.orm.session_of(module, call.func.value), SessionProof)


def _fits(part: SynchronousPart, call: ast.Call, function: FunctionPlace) -> bool:
    """Whether a function takes as many arguments as a call passes, and all that it needs."""
    found = part.node_of(function)
    if found is None:
        return False
    module, node = found
    arguments, is_method = node.args, _is_method(module, node)
    if isinstance(call.func, ast.Name) and is_method:
        return False
    bound = 1 if is_method else 0
    if any(isinstance(one, ast.Starred) for one in call.args) or any(
        one.arg is None for one in call.keywords
    ):
        return True
    positional = [*arguments.posonlyargs, *arguments.args][bound:]
    names = {one.arg for one in (*positional, *arguments.kwonlyargs)}
    given = {one.arg for one in call.keywords} | {one.arg for one in positional[: len(call.args)]}
    needed = {
        one.arg for one, default in parameters_of(arguments)[bound:] if default is None
    } & names
    too_many = len(call.args) > len(positional) and arguments.vararg is None
    unknown = not {one.arg for one in call.keywords} <= names and arguments.kwarg is None
    return not too_many and not unknown and needed <= given


def _is_method(module: Module, node: Function) -> bool:
    is_in_class = isinstance(module.parent(node), ast.ClassDef)
    return is_in_class and not has_decorator(node, "staticmethod")
