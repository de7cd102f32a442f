"""Functions that no visible code calls, and properties whose name is written nowhere else.

The program does not make the values that these functions get, and it reads no such property.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.functions.decorators import PROPERTIES
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MANY = 20
"""Functions that are looked at on the way up."""


def is_given_by_none(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` calls a method of what a function is passed that nobody calls.

    Others of which this is true may call it.
    Of a published project other programs may, with what its own functions give them.
    """
    if project.published:
        return False
    first = function_around(module, node)
    if not _is_of_parameter(module, node, first):
        return False
    waiting = [] if first is None else [(module, first)]
    seen = {item.key_of(function) for item, function in waiting}
    for home, function in waiting:
        if _may_run(project, home, function) or len(seen) > _MANY:
            return False
        for site in project.calls.callers_of(home, function).sites:
            calls = project.calls_at(site.place)
            around = function_around(*calls[0]) if calls else None
            if around is None:
                return False
            calling = calls[0][0]
            key = calling.key_of(around)
            if key not in seen:
                seen.add(key)
                waiting.append((calling, around))
    return bool(waiting)


def is_of_uncalled(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` calls a method of a parameter, or of its attribute, of an uncalled function.

    It is no method: an object may have got a session without a call of the method. Such a function
    is often a method that has lost its indent.
    """
    function = function_around(module, node)
    if function is None:
        return False
    match node:
        case ast.Call(
            func=ast.Attribute(value=(ast.Name() as held) | ast.Attribute(value=ast.Name() as held))
        ):
            parameter = module.scopes.parameter_of(held)
        case _:
            return False
    if parameter is None or parameter.scope.node is not function:
        return False
    return is_uncalled(project, module, function)


def is_uncalled(project: Project, module: Module, function: Function) -> bool:
    """Whether nothing calls a function that is no method: no visible code, and nothing else."""
    if project.published or isinstance(module.parent(function), ast.ClassDef):
        return False
    if _has_other_callers(project, module, function):
        return False
    return not project.calls.callers_of(module, function).sites


def is_in_unread_property(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` runs only where somebody reads a property, whose name nobody writes."""
    function = module.enclosing_def(node)
    match function:
        case ast.FunctionDef(name=name, decorator_list=[decorator]):
            if project.qualified_name(module, decorator) not in PROPERTIES or project.published:
                return False
        case _:
            return False
    templates = project.texts(*TEMPLATE_READS)
    texts = [file.text for file in templates.files.values()]
    files = project.files_with((name.encode(),))
    texts += [item.source.text for item in project.modules_at(files)]
    word = re.compile(rb"\b%b\b" % name.encode())
    return not templates.unread and sum(len(word.findall(text)) for text in texts) == 1


def _is_of_parameter(module: Module, node: ast.AST, function: Function | None) -> bool:
    """Whether ``node`` calls a method of a parameter of ``function``."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as held)):
            parameter = module.scopes.parameter_of(held)
            return parameter is not None and parameter.scope.node is function
    return False


def _may_run(project: Project, module: Module, function: Function) -> bool:
    """Whether a function may run without a visible call."""
    is_method = isinstance(module.parent(function), ast.ClassDef)
    is_plain = is_method or module.parent(function) is module.tree
    return not is_plain or _has_other_callers(project, module, function)


def _has_other_callers(project: Project, module: Module, function: Function) -> bool:
    """Whether something may call a function that is not visible: Python, a framework, a test."""
    if function.name.startswith("__") or function.decorator_list or is_test_file(module.path):
        return True
    return any(
        item.kind != "outside" for item in project.calls.callers_of(module, function).obstacles
    )
