"""What is proven of a gather: that nothing raises, that nobody can tell, what is read late."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.kit.listed_names import lists_names
from awaken.project.effects import suspensions
from awaken.project.source.trees import Function, walk
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.codemods.asyncio.gather_to_taskgroup.arguments import Given
    from awaken.codemods.asyncio.gather_to_taskgroup.placing import Position
    from awaken.project import Project
    from awaken.project.source.modules import Module

_OF_THEIR_OWN = {
    "asyncio.sleep",
    "asyncio.Event.wait",
    "asyncio.Lock.acquire",
    "asyncio.Semaphore.acquire",
    "asyncio.BoundedSemaphore.acquire",
    "asyncio.Queue.get",
    "asyncio.Queue.put",
}
"""Coroutines that wait for a future of their own, which nobody else can cancel."""
# Begins with what it looks for: with the start of a line in front it would be tried at each.
_REPLACED = re.compile(rb"asyncio\.\w+(?=\s*=(?!=))")
_ENDING = {"_exit", "cancel", "current_task", "exit", "quit"}
_DEEPEST = 3  # helpers of helpers
_FEW_FILES = 15
"""Files that may hold a name whose callers are looked for: each is searched."""


# ---------------------------------------------------------------------------- nothing is raised
def is_quiet(project: Project, module: Module, given: Given) -> bool:
    """Whether it is proven that neither making nor running an argument raises anything."""
    if given.kind == "each" or given.is_task:
        return False
    if not all(
        project.effects.may_raise(module, one, awaited=True).nothing for one in given.coroutines
    ):
        return False
    parts: list[ast.expr] = []
    if isinstance(given.node, ast.ListComp | ast.GeneratorExp):
        for clause in given.node.generators:
            parts += [clause.iter, *clause.ifs]
    return all(project.effects.may_raise(module, one).nothing for one in parts)


def is_never_cancelled(project: Project, module: Module, coroutine: ast.expr) -> bool:
    """Whether ``coroutine`` ends in a cancellation only if its own task is cancelled.

    Whatever it awaits, be it what another task is to set, must belong to it alone.
    """
    if not isinstance(coroutine, ast.Call):
        return False
    names = set(project.effects.library_functions(module, coroutine))
    if names:
        return names <= _OF_THEIR_OWN
    called = project.calls.function_called(module, coroutine)
    if isinstance(called, Unknown) or not isinstance(called.function, ast.AsyncFunctionDef):
        return False
    # A statement that cleans up may wait as well when its task is cancelled.
    if any(isinstance(one, ast.Try | ast.TryStar) for one in walk(called.function)):
        return False
    for pause in suspensions(called.function).awaits:
        waited = pause.value if isinstance(pause, ast.Await) else None
        if not isinstance(waited, ast.Call):
            return False
        names = set(project.effects.library_functions(called.module, waited))
        if not names or not names <= _OF_THEIR_OWN:
            return False
    # Last, for it follows calls: few get so far.
    return not _may_end_itself(project, called.module, called.function, _DEEPEST)


def _may_end_itself(project: Project, module: Module, function: ast.AST, depth: int) -> bool:
    """Whether a function may cancel its own task, or raise what ends one; so may what it calls."""
    for node in walk(function):
        match node:
            case ast.Raise() if not _is_error(project, module, node):
                return True
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in _ENDING:
                return True
            case ast.Call():
                called = project.calls.function_called(module, node)
                if isinstance(called, Unknown) or called.function is function:
                    continue
                if not depth or _may_end_itself(project, called.module, called.function, depth - 1):
                    return True
            case _:
                pass
    return False


def _is_error(project: Project, module: Module, statement: ast.Raise) -> bool:
    """Whether a statement raises an Exception for certain: another question tells of those."""
    found = project.effects.may_raise(module, statement)
    return bool(found.known) or bool(found.unknown)


# ------------------------------------------------------------------------------ nobody can tell
def nobody_can_tell(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether no handler sees what leaves the gather, and all callers are in sight."""
    function = module.enclosing_function(call)
    if not isinstance(function, Function) or function.decorator_list:
        return False
    # Methods and public functions of a published project are called from anywhere: asking for
    # their callers costs a search for their names.
    is_method = module.enclosing_class(function) is not None
    is_public = project.published and not function.name.startswith("_")
    if is_method or is_public:
        return False
    # All callers are rarely in sight of a name that many files hold, and each of them is searched.
    if len(project.files_with((function.name.encode(),))) > _FEW_FILES:
        return False
    if any(one.kind == "handler" for one in project.effects.guards(module, call)):
        return False
    callers = project.calls.callers_of(module, function)
    # What nobody calls is called by a framework, or it does not matter.
    if callers.obstacles or not callers.sites:
        return False
    guards, unknown = project.effects.handlers_in_callers(module, function)
    return not guards and not unknown


# ------------------------------------------------------------------------- the rest of the program
def around_it(
    project: Project, module: Module, gathered: ast.Call, coroutines: Sequence[ast.expr]
) -> Iterator[str]:
    """Yield what the rest of the program makes of it."""
    for path in project.files_with((b"asyncio.",)):
        replaced = _replaced(project.snapshot[path].text)
        if replaced:
            yield f"`{replaced}` has another meaning in this program"
            break
    # A task gets its context when it is made, and the arguments of the next one come later now.
    calls = any(
        isinstance(part, ast.Call)
        for one in coroutines[1:]
        if isinstance(one, ast.Call)
        for given in (*one.args, *(each.value for each in one.keywords))
        for part in module.walk(given)
    )
    if calls and project.files_with((b"ContextVar",)):
        yield "what an argument sets of context variables, the tasks before it do not see"
    listed = lists_names(module, module.scopes.scope_of(gathered))
    if listed is not None:
        yield f"`{module.excerpt(listed)}` sees more names"


def _replaced(text: bytes) -> str:
    """Return what of asyncio is assigned to at the start of a line; empty if nothing is."""
    for found in _REPLACED.finditer(text):
        start = max(text.rfind(b"\n", 0, found.start()), text.rfind(b"\r", 0, found.start())) + 1
        if not text[start : found.start()].strip():
            return found[0].decode()
    return ""


# ---------------------------------------------------------------------------- what is read early
def read_before(module: Module, position: Position) -> Iterator[str]:
    """Yield what the statement reads before it awaits, and the tasks may change.

    With the block in front of the statement it is read behind them.
    """
    statement, start = position.statement, module.span(position.awaited).start
    if isinstance(statement, ast.AugAssign):
        target = statement.target
        if not isinstance(target, ast.Name) or _is_set_elsewhere(module, target):
            yield module.excerpt(target)
    # Targets come last, wherever they stand.
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
        scopes.scope_of(one.node) is not owner
        for one in owner.bindings[name.id]
        if one.kind not in {"function", "class", "import", "parameter"}
    )


def _is_of_module(module: Module, node: ast.Attribute) -> bool:
    base: ast.expr = node
    while isinstance(base, ast.Attribute):
        base = base.value
    if not isinstance(base, ast.Name):
        return False
    bindings = module.scopes.bindings_of(base)
    return bool(bindings) and all(one.kind in {"import", "class"} for one in bindings)
