"""Uses of a function that are no calls: who is handed it, and whether that awaits it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous import twins
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project


def refused_uses(part: SynchronousPart) -> dict[FunctionPlace, Refused]:
    """Return the functions that are handed to something that may not await them, with the place."""
    project = part.project
    names: dict[str, list[FunctionPlace]] = {}
    for function in part.steps:
        names.setdefault(function.qualname.rpartition(".")[2], []).append(function)
    found: dict[FunctionPlace, Refused] = {}
    words = [name.encode() for name in sorted(names)]
    for path in project.files_with(words):
        module = project.module(path)
        for name in sorted(names) if module is not None else ():
            for node in module.mentions(name) if module is not None else ():
                if module is None or not isinstance(node, ast.Name | ast.Attribute):
                    continue
                if not _is_use(module, node):
                    continue
                for function in _meant(part, module, node, names[name]):
                    if not _is_awaited_there(part, module, node):
                        why = Refused(
                            reasons.HANDED_ON, function.qualname, because=(module.place(node),)
                        )
                        found.setdefault(function, why)
    return found


def _is_use(module: Module, node: ast.Name | ast.Attribute) -> bool:
    above = module.parent(node)
    if isinstance(above, ast.Call) and above.func is node:
        return False
    return isinstance(node.ctx, ast.Load)


def _meant(
    part: SynchronousPart,
    module: Module,
    node: ast.Name | ast.Attribute,
    functions: list[FunctionPlace],
) -> list[FunctionPlace]:
    values = part.project.values.of(module, node).alternatives
    places = {
        (one.module.path, one.module.span(one.node).start)
        for one in values
        if isinstance(one, FunctionOf)
    }
    return [one for one in functions if (one.path, one.start) in places]


def _is_awaited_there(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether all that a function is handed to awaits it, or hands it on to what does."""
    if any(one in part.steps for one in part.stand_ins.replaced_at(module.place(node))):
        return True
    match module.parent(node):
        case ast.Assign(targets=[ast.Name() as variable], value=value) if value is node:
            # What is called by the name of a variable is resolved.
            reads = module.scopes.reads_of(variable)
            is_local = isinstance(module.scopes.scope_of(variable).node, Function)
            return is_local and all(
                not _is_use(module, one) or _is_awaited_there(part, module, one) for one in reads
            )
        case _:
            return _is_absorbed(part.project, module, node)


def _is_absorbed(project: Project, module: Module, node: ast.expr) -> bool:
    absorbing = twins().absorbing.functions
    if project.calls.is_run_in_thread(module, node):
        return True
    match module.parent(node):
        case ast.Call() as call:
            names = set(project.effects.library_functions(module, call))
            qualified = project.qualified_name(module, call.func)
            names |= set() if qualified is None else {qualified}
            return bool(names) and names <= set(absorbing)
        case ast.keyword() as keyword:
            above = module.parent(keyword)
            if not isinstance(above, ast.Call):
                return False
            return project.qualified_name(module, above.func) in absorbing
        case ast.List() | ast.Tuple() as listed:
            return _starts_application(project, module, listed)
        case ast.Return():
            # What a test asks for is called by it, and that call is resolved.
            return _is_in_fixture(module, node)
        case ast.Subscript(value=ast.Attribute(attr="dependency_overrides")):
            return True
        case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="dependency_overrides"))]):
            return True
        case ast.Compare():
            return True
        case _:
            return False


def _starts_application(project: Project, module: Module, listed: ast.expr) -> bool:
    """Whether ``listed`` are the handlers that an application runs when it starts or ends."""
    keyword = module.parent(listed)
    if not isinstance(keyword, ast.keyword) or keyword.arg not in {"on_shutdown", "on_startup"}:
        return False
    call = module.parent(keyword)
    applications = twins().absorbing.applications
    return isinstance(call, ast.Call) and project.qualified_name(module, call.func) in applications


def _is_in_fixture(module: Module, node: ast.expr) -> bool:
    around = module.enclosing_function(node)
    if not isinstance(around, Function):
        return False
    return any(last_name(without_arguments(one)) == "fixture" for one in around.decorator_list)
