"""The names of tasks, groups and lists, as far as they are free in a function."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.project.source.trees import last_name, walk

if TYPE_CHECKING:
    from awaken.codemods.asyncio.gather_to_taskgroup.gather_arguments import Given
    from awaken.codemods.asyncio.gather_to_taskgroup.placing import Position
    from awaken.project.source.bindings import Scope
    from awaken.project.source.modules import Module

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


class Names:
    """The names of one function: what is used in it, and what is newly given."""

    def __init__(self, module: Module, function: ast.AST) -> None:
        scopes = module.scopes
        self._scopes = scopes
        self._function = scopes.scope_made_by(function)
        self._loops: set[str] = set()
        self._group = ""
        self._item = ""
        self._coroutine = ""
        self._error = ""
        self._used = {*scopes.names(function), *dir(builtins)}

    def is_used(self, name: str) -> bool:
        """Whether ``name`` means something in the function."""
        return name in self._used

    def new(self, *candidates: str) -> str:
        """Return the first of ``candidates`` that is free, else the last one with a number."""
        name = self._scopes.fresh_name(*candidates, taken=self._used, within=self._function.node)
        self._used.add(name)
        return name

    def group(self) -> str:
        """Return the name of a task group; groups follow each other under one name."""
        if not self._group:
            self._group = self.new("tg", "task_group", "tg")
        return self._group

    def item(self) -> str:
        """Return the name of the task in each turn of a loop, which one loop after another has."""
        if not self._item:
            self._item = self.new("task", "gathered_task")
        return self._item

    def coroutine(self) -> str:
        """Return the name of the coroutine in each turn of a loop; all loops share it."""
        if not self._coroutine:
            self._coroutine = self.new("coro", "coroutine")
        return self._coroutine

    def error(self) -> str:
        """Return the name of an exception group, which Python deletes after its handler."""
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
        own = self._scopes.scopes_inside(self._scopes.scope_made_by(comprehension))
        around = [scope for scope in self._scopes.scopes_inside(self._function) if scope not in own]
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
            # A name that is bound and never read, such as `_`, may be bound again.
            parameters = {one.kind for one in scope.bindings_of(name)} - {"for", "assignment"}
            known = (scope.reads, scope.globals, scope.nonlocals)
            return bool(parameters) or any(name in names for names in known)
        if name not in scope.reads:
            return name in scope.nonlocals
        owner = self._scopes.owner(name, scope)
        around = [
            one for one in self._scopes.scopes_inside(self._function) if one is not self._function
        ]
        return owner is None or owner not in around

    def of_tasks(self, position: Position, given: Sequence[Given]) -> list[str]:
        """Return a name for the task of each target; empty where a list holds them better."""
        if not all(argument.is_one for argument in given):
            return []
        called = [_last(argument.coroutines[0]) for argument in given]
        words = [_last(target) for target in position.targets]
        if len(words) == len(given) and not any(map(_is_starred, position.targets)):
            # A target without a name of its own, such as `_`, gets the name of the called function.
            words = [name or other for name, other in zip(words, called, strict=True)]
        elif position.is_tuple:
            # If one function is called several times, ordinals say more than numbers.
            is_clear = len(set(called)) == len(called)
            words = called if is_clear else list(_ORDINALS[: len(given)])
        else:
            return []
        if len(words) != len(given) or not all(words):
            return []
        return [self.new(f"{word.removesuffix('_task')}_task") for word in words]


def _is_starred(target: ast.expr) -> bool:
    return isinstance(target, ast.Starred)


def _last(node: ast.expr) -> str:
    """Return the last word of a target, or of what is called; empty where it says nothing."""
    return last_name(node.func if isinstance(node, ast.Call) else node).strip("_")


def variables_of(comprehension: ast.ListComp | ast.GeneratorExp) -> set[str]:
    """Return the names that the clauses of ``comprehension`` bind."""
    return {
        node.id
        for clause in comprehension.generators
        for node in walk(clause.target)
        if isinstance(node, ast.Name)
    }
