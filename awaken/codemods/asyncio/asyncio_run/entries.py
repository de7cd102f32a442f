"""The entries of programs: where nothing runs before, and nobody calls a second time."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list, word_list
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_HARMLESS = name_list("modules_without_tasks")

_STARTING = word_list("starting_tasks")


def is_entry(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` runs once, when the program starts, as far as its place tells."""
    function = module.enclosing_function(node)
    if any(isinstance(part, ast.AsyncFor | ast.For | ast.While) for part in module.ancestors(node)):
        return False
    if function is None:
        return module.enclosing_class(node) is None
    if not isinstance(function, ast.FunctionDef) or module.parent(function) is not module.tree:
        return False
    return function.name == "main" or any(
        module.is_under_main(mention)
        and isinstance(module.parent(mention), ast.Call)
        and module.enclosing_function(mention) is None
        for mention in module.mentions(function.name)
    )


def may_have_loops(project: Project, module: Module, entry: ast.Call) -> bool:
    """Whether what runs before ``entry``, or is passed to it, may belong to an event loop."""
    end = module.span(entry).end
    for node in module.walk():
        if module.enclosing_function(node) is not None:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom) and _is_of_program(project, module, node):
            return True
        if not isinstance(node, ast.Call) or module.span(node).start > end:
            continue
        if node is not entry and node not in entry.args and not _is_harmless(project, module, node):
            return True
    return False


def leaves_nothing(module: Module) -> bool:
    """Whether no task and no generator of this file can be left when its coroutine ends.

    `asyncio.run()` cancels what is left, and closes it: what stands in a `finally` there then runs.
    """
    if any(word in module.source.text for word in _STARTING):
        return False
    closes = b"shutdown_asyncgens" in module.source.text
    for node in module.walk():
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [name.name for name in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.partition(".")[0] not in {*_HARMLESS, "asyncio"} for name in names):
                return False
        is_left = isinstance(node, ast.Yield) and not closes
        if is_left and module.enclosing_coroutine(node) is not None:
            return False
    return True


def _is_of_program(project: Project, module: Module, node: ast.Import | ast.ImportFrom) -> bool:
    names = [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
        if node.level:
            return True
    return any(any(project.layout.find(name, module.path)) for name in names)


def _is_harmless(project: Project, module: Module, call: ast.Call) -> bool:
    name = project.qualified_name(module, call.func) or ""
    is_of_loop = name.startswith("asyncio.") and name.endswith("_event_loop")
    return is_of_loop or name.partition(".")[0] in _HARMLESS
