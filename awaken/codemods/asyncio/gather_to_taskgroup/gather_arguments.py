"""The arguments of a gather: single coroutines, and starred arguments that hold several."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from awaken.codemods.asyncio.gather_to_taskgroup.reasons import (
    AWAIT_IN_ARGUMENT,
    CREATED_EARLIER,
    DUPLICATE,
    NOT_A_COROUTINE,
)
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import library_names
from awaken.project.effects import suspensions
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.expressions.lists import (
    ListPart,
    added_parts,
    append_call,
    bound_list,
    list_parts,
)
from awaken.project.source.lines.statement_lines import shares_line
from awaken.project.source.trees import last_name, walk
from awaken.project.values.domain import Unknown
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.codemods.asyncio.gather_to_taskgroup.placing import Position
    from awaken.project import Project
    from awaken.project.source.modules import Module

_MAKES_TASK = library_names().task_makers | {"asyncio.AbstractEventLoop.create_task"}
TASK_WORDS = {name.rpartition(".")[2] for name in _MAKES_TASK}
_READING = {"bool", "enumerate", "len", "zip"}
_KEPT = {"name", "context", "coro", "coro_or_future"}


class Given(Struct, frozen=True):
    """One argument.

    ``one``: a coroutine; ``comprehension``: starred, and written in place; ``each``: starred, and
    anything else. ``coroutines`` are the expressions that give what runs; empty where another
    function makes them. ``is_task``: in the code ``create_task()`` is around them.
    """

    node: ast.expr
    kind: Literal["one", "comprehension", "each"]
    coroutines: tuple[ast.expr, ...]
    is_task: bool = False

    @property
    def is_one(self) -> bool:
        """Whether it is a single coroutine."""
        return self.kind == "one"


class Gathered(Struct, frozen=True):
    """All that a gather runs.

    ``built`` is the statement directly above it that makes the list it is given, for nothing else.
    If it ``stays``, it puts tasks into a list or a dictionary, which other code may read after the
    gather. ``list_made`` is the statement that makes the list for a loop of tasks, if nothing else
    reads it. ``unpacks``: the arguments are the elements of the list that is starred, or built.
    ``replaced``: the dictionary may replace a task by another one with the same key.
    """

    given: Sequence[Given]
    built: ast.stmt | None = None
    list_made: ast.stmt | None = None
    unpacks: bool = False
    stays: bool = False
    replaced: str = ""


def gathered_by(project: Project, module: Module, call: ast.Call, position: Position) -> Gathered:
    """Return what ``call`` runs. Raises Refused where a task group cannot start it."""
    for argument in call.args:
        _check_at_once(module, argument)
    match call.args:
        case [ast.Starred(value=ast.Name() as name)]:
            built = built_for(module, name, position)
            if built is not None:
                _check_at_once(module, built.value)
                result = _passed_elements(project, module, built.value)
                return Gathered(result, built, unpacks=_is_display(built.value))
        case [ast.Starred(value=value)] if _is_display(value):
            return Gathered(_passed_elements(project, module, value), unpacks=True)
    match call.args:
        case [ast.Starred(value=holder)]:
            tasks = _tasks_above(project, module, holder, position)
            if tasks is not None:
                return tasks
    result = [_given_argument(project, module, node) for node in call.args]
    _check_different(item.node for item in result)
    return Gathered(result)


def _passed_elements(project: Project, module: Module, value: ast.expr) -> list[Given]:
    """Return the elements of a display, or the one comprehension that ``value`` is."""
    if not isinstance(value, ast.List | ast.Tuple):
        return [_starred_argument(project, module, value)]
    result = [_given_argument(project, module, element) for element in value.elts]
    _check_different(argument.node for argument in result)
    return result


def _is_display(value: ast.expr) -> bool:
    return isinstance(value, ast.List | ast.Tuple) and bool(value.elts)


def built_for(module: Module, name: ast.Name, position: Position) -> ast.Assign | None:
    """Return the statement that makes the list ``name`` directly above the gather.

    None where it is used otherwise, or where the two cannot become one.
    """
    match _statement_above(module, position):
        case ast.Assign(targets=[ast.Name(id=target)], value=value) as built if target == name.id:
            is_written = isinstance(value, ast.ListComp | ast.GeneratorExp) or _is_display(value)
            is_alone = len(module.scopes.bindings_of(name)) == 1
            is_read_once = module.scopes.reads_of(name) == [name]
            # The comments of a removed statement would have no line.
            keeps = not position.is_ignored or not _has_comments(module, built, position.statement)
            return built if is_written and is_alone and is_read_once and keeps else None
    return None


def _tasks_above(
    project: Project, module: Module, holder: ast.expr, position: Position
) -> Gathered | None:
    """Return the tasks that the statement directly above the gather alone puts into ``holder``.

    ``holder`` is a list, or the ``values()`` of a dictionary. None where a block around that
    statement would mean something else: where it waits or is left.
    """
    name, is_dictionary = _held_name(holder)
    statement = _statement_above(module, position)
    if name is None or statement is None or len(module.scopes.bindings_of(name)) != 1:
        return None
    is_local = name.id in module.scopes.scope_of(name).bindings
    pauses = suspensions(statement)
    leaves = any(isinstance(node, ast.Return | ast.Raise) for node in walk(statement))
    lost = position.is_ignored and _has_comments(module, statement, position.statement)
    if pauses.awaits or pauses.yields or leaves or lost or not is_local:
        return None
    made = None
    parts: Sequence[ast.expr | None] = []
    may_replace = is_dictionary
    match statement:
        case ast.For() if _starts_empty(module, name, position, is_dictionary=is_dictionary):
            parts = _added_in_loop(module, name, statement, position)
            made = None if is_dictionary else _made_for(module, name, statement)
        case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
            is_alone = target == name.id and not _earlier_reads(module, name, position)
            if is_alone:
                parts = _values_of(statement.value, is_dictionary=is_dictionary)
            may_replace = is_dictionary and not _has_own_keys(statement.value)
    tasks = [part for part in parts if isinstance(part, ast.Call)]
    every = [node for node in walk(statement) if isinstance(node, ast.Call)]
    every = [node for node in every if last_name(node.func) in TASK_WORDS]
    # Coroutines can stay in their list; only tasks must be started where they are made.
    if not parts or len(tasks) < len(parts) or set(map(id, every)) != set(map(id, tasks)):
        return None
    coroutines = tuple(_started_coroutine(project, module, task) for task in tasks)
    if any(call is each for call, each in zip(tasks, coroutines, strict=True)):
        raise Refused(NOT_A_COROUTINE, f"*{module.excerpt(holder)}")
    held = Given(holder, "each", coroutines, is_task=True)
    replaced = name.id if may_replace else ""
    return Gathered([held], statement, made, stays=True, replaced=replaced)


def _held_name(holder: ast.expr) -> tuple[ast.Name | None, bool]:
    """Return the variable of which ``holder`` is all items, and whether it is a dictionary."""
    match holder:
        case ast.Name():
            return holder, False
        case ast.Call(func=ast.Attribute(value=ast.Name() as name, attr="values"), args=[]):
            return name, True
    return None, False


def _earlier_reads(module: Module, name: ast.Name, position: Position) -> list[ast.Name]:
    """Return the reads of ``name`` before the gather has ended, without that of the gather."""
    # After the gather, they are tasks that are done, as before.
    end = module.span(position.statement).end
    reads = module.scopes.reads_of(name)
    return [node for node in reads if node is not name and module.span(node).start < end]


def _added_in_loop(
    module: Module, name: ast.Name, loop: ast.For, position: Position
) -> list[ast.expr | None]:
    """Return what ``loop`` puts into ``name``; nothing where other code above reads it."""
    earlier = _earlier_reads(module, name, position)
    if not all(loop in module.ancestors(node) for node in earlier):
        return []
    return [_appended_call(module, node) for node in earlier]


def _values_of(made: ast.expr | None, *, is_dictionary: bool) -> Sequence[ast.expr | None]:
    """Return the values that a display or a comprehension holds."""
    match made:
        case ast.Dict(keys=keys, values=values) if is_dictionary and None not in keys:
            return values
        case ast.DictComp(value=value) if is_dictionary:
            return [value]
        case ast.ListComp(elt=value) if not is_dictionary:
            return [value]
        case ast.List(elts=values) if not is_dictionary:
            return values
    return []


def _has_own_keys(made: ast.expr | None) -> bool:
    """Whether a dictionary is written with different constants as keys."""
    keys = made.keys if isinstance(made, ast.Dict) else [None]
    values = [key.value for key in keys if isinstance(key, ast.Constant)]
    return len(set(values)) == len(keys)


def _starts_empty(
    module: Module, name: ast.Name, position: Position, *, is_dictionary: bool
) -> bool:
    """Whether ``name`` is given nothing but an empty list or dictionary, in the gather's block."""
    binding = module.scopes.bindings_of(name)[0]
    value, statement = binding.value, module.statement_of(binding.node)
    is_empty = isinstance(value, ast.List) and not value.elts and not is_dictionary
    is_empty |= isinstance(value, ast.Dict) and not value.keys and is_dictionary
    return is_empty and statement in module.block_of(position.statement)


def _made_for(module: Module, name: ast.Name, loop: ast.For) -> ast.stmt | None:
    """Return the statement that makes the list ``name``, if ``loop`` and the gather alone read it.

    None if a comment is next to it, which would have no line to be on.
    """
    statement = module.statement_of(module.scopes.bindings_of(name)[0].node)
    reads = (node for node in module.scopes.reads_of(name) if node is not name)
    if statement is None or not all(loop in module.ancestors(read) for read in reads):
        return None
    above = LINE_END_BYTES.split(module.source.text[: module.span(statement).start].rstrip())[-1]
    return None if b"#" in above or any(module.text_alongside(statement)) else statement


def _appended_call(module: Module, read: ast.Name) -> ast.Call | None:
    """Return the call in ``tasks.append(...)`` or ``tasks[key] = ...``, if ``read`` is there."""
    above = module.parent(read)
    match append_call(module, read), module.parent(above):
        case None, ast.Assign(targets=[ast.Subscript(value=held) as target], value=added):
            is_added = target is above and held is read
            return added if is_added and isinstance(added, ast.Call) else None
        case (_, ast.Call() as added), _:
            return added
    return None


def _statement_above(module: Module, position: Position) -> ast.stmt | None:
    """Return the statement directly above the gather, if it has its lines for itself."""
    block = module.block_of(position.statement)
    at = block.index(position.statement)
    statement = block[at - 1] if at else None
    return None if statement is None or shares_line(module, statement) else statement


def _has_comments(module: Module, above: ast.stmt, statement: ast.stmt) -> bool:
    text, end = module.source.text, module.span(statement).end
    until = LINE_END_BYTES.search(text, end)
    return b"#" in text[module.span(above).end : len(text) if until is None else until.start()]


def _check_at_once(module: Module, argument: ast.expr) -> None:
    """Raise Refused if tasks would start to run while ``argument`` is evaluated."""
    pauses = suspensions(argument)
    walrus = [part for part in walk(argument) if isinstance(part, ast.NamedExpr)]
    for node in (*pauses.awaits, *pauses.yields, *walrus):
        raise Refused(AWAIT_IN_ARGUMENT, module.excerpt(node))


def _check_different(nodes: Iterable[ast.expr]) -> None:
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(DUPLICATE, twice)


def _given_argument(project: Project, module: Module, argument: ast.expr) -> Given:
    if not isinstance(argument, ast.Starred):
        inner = _started_coroutine(project, module, argument)
        return Given(argument, "one", (inner,), is_task=inner is not argument)
    return _starred_argument(project, module, argument.value)


def _starred_argument(project: Project, module: Module, value: ast.expr) -> Given:
    match value:
        case ast.ListComp() | ast.GeneratorExp():
            inner = _started_coroutine(project, module, value.elt)
            return Given(value, "comprehension", (inner,), is_task=inner is not value.elt)
    return _held_argument(project, module, value)


def _started_coroutine(project: Project, module: Module, node: ast.expr) -> ast.expr:
    """Return the coroutine that ``node`` is, or makes a task of. Raises Refused."""
    inner = _in_task(project, module, node)
    _require_coroutine(project, module, inner)
    return inner


def _in_task(project: Project, module: Module, node: ast.expr) -> ast.expr:
    """Return what ``node`` makes a task of; ``node`` itself if it does not."""
    if not isinstance(node, ast.Call):
        return node
    names = set(project.effects.library_functions(module, node))
    passed = [*node.args, *(part.value for part in node.keywords if (part.arg or "")[:4] == "coro")]
    if (
        not names
        or not names <= _MAKES_TASK
        or len(passed) != 1
        or isinstance(passed[0], ast.Starred)
        or not all(keyword.arg in _KEPT for keyword in node.keywords)
    ):
        return node
    return passed[0]


def _require_coroutine(project: Project, module: Module, node: ast.expr) -> None:
    if not project.effects.is_coroutine(module, node):
        kind = project.effects.awaitable(module, node)
        because = (kind.place,) if isinstance(kind, Unknown) else ()
        raise Refused(NOT_A_COROUTINE, module.excerpt(node), because=because)


# ------------------------------------------------------------------------------ lists of coroutines
def _held_argument(project: Project, module: Module, holder: ast.expr) -> Given:
    """Return the argument ``holder``, which holds coroutines. Raises Refused if it holds tasks."""
    refused = Refused(NOT_A_COROUTINE, f"*{module.excerpt(holder)}")
    try:
        if isinstance(holder, ast.Name):
            held = list(_put_into(module, holder))
        else:
            held = list(list_parts(module, holder))
        if any(part.kind == "rest" for part in held):
            raise refused
    except Refused:
        # Not built in this function: only its elements are known, and not where each is made.
        is_proved = project.values.items_of(module, holder).is_coroutine
        if not is_proved or _is_repeated(module, holder):
            raise
        return Given(holder, "each", ())
    parts = [part.node for part in held]
    coroutines = tuple(_in_task(project, module, part) for part in parts)
    made = [part for part, inner in zip(parts, coroutines, strict=True) if part is not inner]
    if made:
        because = (module.place(made[0]),)
        raise Refused(CREATED_EARLIER, module.excerpt(holder), because=because)
    _check_different(coroutines)
    for coroutine in coroutines:
        _require_coroutine(project, module, coroutine)
    return Given(holder, "each", coroutines)


def _is_repeated(module: Module, holder: ast.expr) -> bool:
    """Whether ``holder`` is multiplied where it is built, as in ``[coroutine] * 2``."""
    bindings = module.scopes.bindings_of(holder)
    built = [holder, *(module.statement_of(binding.node) for binding in bindings)]
    return any(
        isinstance(getattr(node, "op", None), ast.Mult)
        for root in built
        if root is not None
        for node in walk(root)
    )


def _put_into(module: Module, name: ast.Name) -> Iterator[ListPart]:
    """Yield all parts that the list ``name`` may have. Raises Refused if that is unknown."""
    refused = Refused(NOT_A_COROUTINE, f"*{name.id}")
    scope = module.scopes.scope_of(name)
    bindings = module.scopes.bindings_of(name)
    if not bindings:
        raise refused
    for binding in bindings:
        value = bound_list(module, binding)
        if binding.scope is not scope or value is None:
            raise refused
        yield from list_parts(module, value)
    told = [name, *(binding.node for binding in bindings)]  # `+=` reads the name as well
    for read in module.scopes.reads_of(name):
        if read not in told and not _is_only_read(module, read):
            added = added_parts(module, read)
            if added is None:
                raise refused
            yield from added


def _is_only_read(module: Module, read: ast.Name) -> bool:
    """Whether nothing happens to a list, or to the coroutines in it, where it is read."""
    above = module.parent(read)
    is_given = isinstance(above, ast.Call) and module.scopes.builtin_called(above) in _READING
    return is_given or is_tested(module, read)
