"""Caveats of a task group that replaces a gather."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.kit.caveats.listing_calls import lists_names
from awaken.knowledge.library_names import word_list
from awaken.project.source.trees import arguments_of, root_of
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.codemods.asyncio.gather_to_taskgroup.placing import Position
    from awaken.project import Project
    from awaken.project.source.modules import Module

_LIFETIMES = word_list("lifetimes")


def of_program(
    project: Project, module: Module, gathered: ast.Call, coroutines: Sequence[ast.expr]
) -> Iterator[str]:
    """Yield the caveats of the rest of the program: its contexts, its tasks and its names."""
    # A task copies its context when it is created, before the next coroutine is created.
    if project.files_with((b"ContextVar",)) and any(
        _runs_early(project, module, node) for node in coroutines[1:] if isinstance(node, ast.Call)
    ):
        yield "a task does not see context variables that are set while the next one is made"
    if project.files_with((b"set_task_factory",)):
        yield "if a task factory does not return a task, the group waits forever"
    if project.files_with(_LIFETIMES):
        # The variables of the tasks keep them until the function ends.
        yield "results and errors are freed at another time"
    listed = lists_names(module, module.scopes.scope_of(gathered))
    if listed is not None:
        yield f"`{module.excerpt(listed)}` sees additional names"


def _runs_early(project: Project, module: Module, made: ast.Call) -> bool:
    """Whether code runs while a coroutine is made: for its arguments, or in a plain function."""
    arguments = arguments_of(made)
    if any(isinstance(part, ast.Call) for argument in arguments for part in module.walk(argument)):
        return True
    called = project.calls.function_called(module, made)
    return not isinstance(called, Unknown) and not isinstance(called.function, ast.AsyncFunctionDef)


# ---------------------------------------------------------------------------- what is read early
def read_before(module: Module, position: Position) -> Iterator[str]:
    """Yield the names that the statement reads before it awaits, and that the tasks may change.

    With the block before the statement, it is read after them.
    """
    statement, start = position.statement, module.span(position.awaited).start
    if isinstance(statement, ast.AugAssign):
        target = statement.target
        if not isinstance(target, ast.Name) or _is_set_elsewhere(module, target):
            yield module.excerpt(target)
    # Targets come last, whatever their place.
    is_stored = isinstance(statement, ast.AnnAssign | ast.Assign | ast.AugAssign)
    evaluated = statement.value if is_stored else statement  # type: ignore[attr-defined]
    for node in module.walk(evaluated):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if module.span(node).start >= start or isinstance(module.parent(node), ast.Attribute):
            continue
        if isinstance(node, ast.Name) and _is_set_elsewhere(module, node):
            yield node.id
        if isinstance(node, ast.Attribute) and not _is_of_module(module, node):
            yield module.excerpt(node)


def _is_set_elsewhere(module: Module, name: ast.Name) -> bool:
    """Whether another function than the one that owns the variable ``name`` may set it."""
    scopes = module.scopes
    owner = scopes.owner(name.id, scopes.scope_of(name))
    if owner is None:
        return False
    return any(
        scopes.scope_of(binding.node) is not owner
        for binding in owner.bindings[name.id]
        if binding.kind not in {"function", "class", "import", "parameter"}
    )


def _is_of_module(module: Module, node: ast.Attribute) -> bool:
    base = root_of(node)
    if not isinstance(base, ast.Name):
        return False
    bindings = module.scopes.bindings_of(base)
    return bool(bindings) and all(binding.kind in {"import", "class"} for binding in bindings)
