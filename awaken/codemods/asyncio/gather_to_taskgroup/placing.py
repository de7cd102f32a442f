"""Where the ``await`` of a gather stands, and what comes of its results there."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.gather_to_taskgroup.reasons import POSITION
from awaken.kit.sites import Refused
from awaken.project.source.trees import Function, last_name, walk

if TYPE_CHECKING:
    from awaken.codemods.asyncio.gather_to_taskgroup.arguments import Given
    from awaken.project import Project
    from awaken.project.source.bindings import Scope
    from awaken.project.source.modules import Module

_SIMPLE = (ast.AnnAssign, ast.Assign, ast.AugAssign, ast.Expr, ast.Return)
_CONSUMERS = {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sum", "tuple"}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_COMPOUND = (ast.AsyncFor, ast.AsyncWith, ast.For, ast.If, ast.With)


@dataclass(frozen=True, slots=True)
class Position:
    """The ``await``, and the statement in front of which a block can stand.

    ``is_consumed``: the results are iterated over at once, and nobody sees the list itself.
    ``is_tuple``: the results may be, or by an annotation must be, a tuple: then ``is_annotated``.
    """

    awaited: ast.Await
    statement: ast.stmt
    is_consumed: bool = False
    is_tuple: bool = False
    is_annotated: bool = False

    @property
    def is_ignored(self) -> bool:
        """Whether nobody uses the results."""
        return isinstance(self.statement, ast.Expr) and self.statement.value is self.awaited

    @property
    def targets(self) -> Sequence[ast.expr]:
        """The targets to which the results are given one by one; empty if they are not."""
        match self.statement:
            case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)]):
                if self.statement.value is self.awaited:
                    return targets
        return ()


def position_of(project: Project, module: Module, awaited: ast.Await) -> Position:
    """Return where ``awaited`` stands. Raises Refused where a block in front changes the order."""
    statement = module.statement_of(awaited)
    if not isinstance(statement, _SIMPLE + _COMPOUND):
        raise Refused(POSITION, "no block can stand in front of this")
    if shares_line(module, statement):
        raise Refused(POSITION, "other code stands on its line")
    order = project.effects.order(module, awaited)
    if order is None or not order.once:
        raise Refused(POSITION, "it may be awaited several times")
    if not order.unconditional:
        raise Refused(POSITION, "it is awaited on a condition")
    # That attributes are read later is said; what is called has effects of its own.
    called = [one for one in order.before if not isinstance(one, ast.Attribute)]
    if called:
        raise Refused(POSITION, f"`{module.excerpt(called[0])}` is evaluated before it")
    is_annotated = _is_annotated(module, awaited, statement)
    is_tuple = is_annotated or _is_indexed(module, awaited, statement)
    return Position(awaited, statement, _is_consumed(module, awaited), is_tuple, is_annotated)


def _is_annotated(module: Module, awaited: ast.Await, statement: ast.stmt) -> bool:
    """Whether the results are said to be a tuple, as stubs have it; gather returns a list."""
    annotation: ast.expr | None = None
    if isinstance(statement, ast.AnnAssign) and statement.value is awaited:
        annotation = statement.annotation
    elif isinstance(statement, ast.Return) and statement.value is awaited:
        function = module.enclosing_function(statement)
        annotation = function.returns if isinstance(function, Function) else None
    if isinstance(annotation, ast.Constant):
        annotation = module.parse_string(annotation)
    said = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return said is not None and last_name(said) in {"Tuple", "tuple"}


def _is_indexed(module: Module, awaited: ast.Await, statement: ast.stmt) -> bool:
    """Whether the results go into a variable of which single items are read, and nothing else."""
    match statement:
        case ast.Assign(targets=[ast.Name() as target], value=value) if value is awaited:
            scope = module.scopes.scope_of(target)
            bindings = scope.bindings.get(target.id, [])
        case _:
            return False
    reads = [
        one for inside in module.scopes.inside(scope) for one in inside.reads.get(target.id, ())
    ]
    return len(bindings) == 1 and bool(reads) and all(_reads_item(module, one) for one in reads)


def _reads_item(module: Module, read: ast.Name) -> bool:
    match module.parent(read):
        case ast.Subscript(value=value, slice=ast.Constant(value=int()), ctx=ast.Load()):
            return value is read
        case _:
            return False


def _is_consumed(module: Module, awaited: ast.Await) -> bool:
    match module.parent(awaited):
        case ast.comprehension():
            return True
        case ast.Call(args=[only], keywords=[]) as call if only is awaited:
            return module.scopes.builtin_called(call) in _CONSUMERS
        case _:
            return False


def shares_line(module: Module, statement: ast.stmt) -> bool:
    """Whether something else than a comment stands beside the statement."""
    text, span = module.source.text, module.span(statement)
    before = text[: span.start].replace(b"\r", b"\n").rpartition(b"\n")[2]
    behind = text[span.end :].replace(b"\r", b"\n").partition(b"\n")[0].strip()
    is_elif = isinstance(statement, ast.If) and text.startswith(b"elif", span.start)
    # What follows a compound statement on its last line is that of its body.
    follows = bool(behind) and not behind.startswith(b"#") and isinstance(statement, _SIMPLE)
    return is_elif or bool(before.strip()) or follows


def which_await(module: Module, position: Position) -> int:
    """Return how many ``await`` expressions of the statement stand before this one."""
    awaits = [one for one in module.walk(position.statement) if isinstance(one, ast.Await)]
    return awaits.index(position.awaited)


# ----------------------------------------------------------------------------------------- names
class Names:
    """The names of one function: what is used in it, and what is newly given."""

    def __init__(self, module: Module, function: ast.AST) -> None:
        scopes = module.scopes
        self._scopes = scopes
        self._function = scopes.scope_made_by(function)
        self._loops: set[str] = set()
        self._groups: dict[bool, str] = {}
        self._error = ""
        inside = scopes.inside(self._function)
        self._used = {
            *(name for scope in inside for name in (*scope.bindings, *scope.reads)),
            *(name for scope in inside for name in (*scope.globals, *scope.nonlocals)),
            *dir(builtins),
        }

    def is_used(self, name: str) -> bool:
        """Whether ``name`` means something in the function."""
        return name in self._used

    def new(self, *candidates: str) -> str:
        """Return the first of ``candidates`` that is free, else the last one with a number."""
        numbered = (f"{candidates[-1]}_{number}" for number in count(2))
        found = next((one for one in candidates if one not in self._used), None)
        name = found or next(one for one in numbered if one not in self._used)
        self._used.add(name)
        return name

    def group(self, *, unwraps: bool) -> str:
        """Return the name of a task group; groups of one class follow each other under one name."""
        if unwraps not in self._groups:
            self._groups[unwraps] = self.new("tg", "task_group", "tg")
        return self._groups[unwraps]

    def error(self) -> str:
        """Return the name of an exception group, which is gone behind its handler."""
        if not self._error:
            self._error = self.new("group", "error_group", "group")
        return self._error

    def list_of_tasks(self, built: ast.Assign | None, position: Position) -> str:
        """Return the name of the list that holds tasks, in place of the list ``built``."""
        before = "" if built is None else last_name(built.targets[0])
        if "tasks" in before:
            return before
        target = getattr(position.statement, "targets", [None])[0]
        name = target.id.strip("_") if isinstance(target, ast.Name) else ""
        return self.new("tasks", *([f"{name}_tasks"] if name else []), "running", "tasks")

    def take_loop(self, comprehension: ast.ListComp | ast.GeneratorExp) -> bool:
        """Whether the variables of ``comprehension`` can be those of a ``for`` statement.

        They must mean nothing else in the function; then they are taken.
        """
        own = self._scopes.inside(self._scopes.scope_made_by(comprehension))
        around = [one for one in self._scopes.inside(self._function) if one not in own]
        variables = variables_of(comprehension)
        is_free = self._loops.isdisjoint(variables) and not any(
            self._means(name, scope) for name in variables for scope in around
        )
        if is_free:
            self._loops |= variables
        return is_free

    def _means(self, name: str, scope: Scope) -> bool:
        """Whether ``name`` in ``scope`` is, or would be, a variable of the function."""
        if scope is self._function:
            # What is bound and never read, such as `_`, may be bound once more.
            parameters = {one.kind for one in scope.bindings.get(name, ())} - {"for", "assignment"}
            known = (scope.reads, scope.globals, scope.nonlocals)
            return bool(parameters) or any(name in names for names in known)
        if name not in scope.reads:
            return name in scope.nonlocals
        owner = self._scopes.owner(name, scope)
        around = [one for one in self._scopes.inside(self._function) if one is not self._function]
        return owner is None or owner not in around

    def of_tasks(self, position: Position, given: Sequence[Given]) -> list[str]:
        """Return a name for the task of each target; empty where a list holds them better."""
        if not all(one.is_one for one in given):
            return []
        called = [_last(one.coroutines[0]) for one in given]
        words = [_last(one) for one in position.targets]
        if len(words) == len(given) and not any(map(_is_starred, position.targets)):
            # What has no name of its own, such as `_`, is called by what it comes from.
            words = [one or other for one, other in zip(words, called, strict=True)]
        elif position.is_tuple:
            # Of one function called several times the order says more than numbers.
            is_clear = len(set(called)) == len(called)
            words = called if is_clear else list(_ORDINALS[: len(given)])
        else:
            return []
        if len(words) != len(given) or not all(words):
            return []
        return [self.new(f"{one.removesuffix('_task')}_task") for one in words]


def _is_starred(target: ast.expr) -> bool:
    return isinstance(target, ast.Starred)


def _last(node: ast.expr) -> str:
    """Return the last word of a target, or of what is called; empty where it says nothing."""
    return last_name(node.func if isinstance(node, ast.Call) else node).strip("_")


def variables_of(comprehension: ast.ListComp | ast.GeneratorExp) -> set[str]:
    """Return the names that the clauses of ``comprehension`` bind."""
    return {
        one.id
        for clause in comprehension.generators
        for one in walk(clause.target)
        if isinstance(one, ast.Name)
    }
