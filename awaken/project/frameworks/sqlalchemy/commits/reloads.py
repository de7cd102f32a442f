"""The calls by which a session loads objects, which it may have already."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from awaken.knowledge.library_names import library_names
from awaken.knowledge.sql_names import sql_names
from awaken.project.effects.construction import Constructions
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.frameworks.sqlalchemy.models import ModelFacts
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, keyword_of, last_name
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue, Worklist
from awaken.project.values.domain import ClassOf, External, FunctionOf, Producer, Session, Unknown

_BY_KEY = library_names().getting_methods
_RUNNING = library_names().executing_methods
_WHOLE = {"merge", "query"}
LOADING = frozenset({*_BY_KEY, *_RUNNING, *_WHOLE})
_NO_SELECTS = sql_names().writes | sql_names().texts
_POPULATING = "populate_existing"


class Reload(Struct, frozen=True):
    """A call that loads objects. ``statement`` is what it runs, None of other methods.

    ``is_certain`` says that it is known to give objects of a mapped class.
    """

    statement: ast.expr | None
    is_certain: bool
    by_key: bool = False


class Reloads(ModelFacts):
    """Answers for one program."""

    def reload_by(self, module: Module, call: ast.Call) -> Reload | None:
        """Return what a call of a session's method loads; None of one that loads no objects.

        Return the reads of a statement that loads again, because it has ``populate_existing``.
        """
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method not in LOADING or _POPULATING in module.text_of(call):
            return None
        if method in _BY_KEY:
            return Reload(None, is_certain=True, by_key=True)
        if method in _WHOLE:
            return Reload(None, is_certain=False)
        given = keyword_of(call, "statement")
        statement = call.args[0] if call.args else given
        if statement is None:
            return None
        gives = self._gives_objects(module, statement)
        return None if gives is False else Reload(statement, is_certain=gives is True)

    def _gives_objects(self, module: Module, statement: ast.expr) -> bool | None:
        """Return whether a statement selects a mapped class; None if unknown."""
        waiting, selects = Worklist([statement]), set[bool | None]()
        for node in waiting:
            if _POPULATING in module.text_of(node):
                return None
            match node:
                # The statement that a chain begins with says what it selects.
                case ast.Call(func=ast.Attribute(value=inner)) if not self._is_begun(module, node):
                    waiting += [inner]
                case ast.Call():
                    selects.add(self._selects(module, node))
                case ast.Name() if values := self._assigned_nodes(module, node):
                    waiting += values
                case ast.Await(value=inner):
                    waiting += [inner]
                case _:
                    selects.add(None)
        if True in selects:
            return True if selects == {True} else None
        return None if None in selects or not selects else False

    def _name(self, module: Module, call: ast.Call) -> str:
        return self._evaluator.names.qualified_name(module, call.func) or ""

    def _is_begun(self, module: Module, call: ast.Call) -> bool:
        """Whether it is ``sa.select(...)`` and no step of a chain."""
        return self._name(module, call) in sql_names().selects | _NO_SELECTS

    def _selects(self, module: Module, call: ast.Call) -> bool | None:
        name = self._name(module, call)
        if name in _NO_SELECTS:
            # The result of ``returning`` is ignored.
            above = module.statement_of(call) or call
            return None if ".returning" in module.text_of(above) else False
        if name not in sql_names().selects:
            return None
        kinds = {self._is_mapped(module, argument) for argument in call.args}
        if True in kinds:
            return True
        return None if None in kinds else False

    def _is_mapped(self, module: Module, node: ast.expr) -> bool | None:
        """Return whether a selected item is a mapped class; None if unknown."""
        match node:
            case ast.Name() | ast.Attribute():
                name = self._evaluator.names.qualified_name(module, node) or ""
            case ast.Call() | ast.Compare() | ast.BinOp() | ast.Constant():
                # A function or an expression of columns; an alias is a class again.
                is_alias = isinstance(node, ast.Call) and last_name(node.func) == "aliased"
                return None if is_alias else False
            case _:
                return None
        if self._models.status(name) == "mapped":
            return True
        # ``users.c.name`` is a column of a table.
        if isinstance(node, ast.Attribute) and last_name(node.value) in {"c", "columns"}:
            return False
        owner = name.rpartition(".")[0]
        return False if owner and self._models.status(owner) == "mapped" else None

    def _assigned_nodes(self, module: Module, node: ast.Name) -> list[ast.expr]:
        """Return what a local variable is given, if nothing else gives it a value."""
        bindings = module.scopes.bindings_of(node)
        if any(binding.kind != "assignment" or binding.value is None for binding in bindings):
            return []
        return [binding.value for binding in bindings if binding.value is not None]


Below = Literal["loads", "nothing", "unknown"]


class Callees:
    """Answers for one program; ``loads`` tells whether a call is one of a session that loads."""

    def __init__(
        self, evaluator: ProgramEvaluator, loads: Callable[[Module, ast.AST], bool]
    ) -> None:
        self._evaluator = evaluator
        self._loads = loads
        self._constructions = Constructions(evaluator)

    def loads_below(self, module: Module, call: ast.Call) -> Below:
        """Return whether something that ``call`` runs loads objects, itself aside."""
        waiting = Queue[tuple[Module, Function]]([], lambda pair: pair[0].place(pair[1]))
        worse = self._add_callees(module, call, waiting)
        for count, (home, function) in enumerate(waiting):
            if count == MOST_FUNCTIONS:
                return "unknown"
            for node in own_nodes(function.body):
                if self._loads(home, node):
                    return "loads"
                if isinstance(node, ast.Call) and not self._is_of_session(home, node):
                    worse = _worse(worse, self._add_callees(home, node, waiting))
        return worse

    def _add_callees(
        self, module: Module, call: ast.Call, waiting: Queue[tuple[Module, Function]]
    ) -> Below:
        """Add the functions of the program that ``call`` runs; it is unknown if there are more."""
        worse: Below = "nothing"
        for value in self._evaluator.values(module, call.func):
            match value:
                case External() | Producer():
                    pass
                case ClassOf(qualified=name):
                    worse = _worse(worse, self._of_class(name))
                case FunctionOf():
                    called = functions_called(self._evaluator, module, call)
                    if isinstance(called, Unknown):
                        return "unknown"
                    waiting += [(callee.module, callee.function) for callee in called]
                case _:
                    worse = "unknown"
        return worse

    def _of_class(self, name: str) -> Below:
        """Return the same for making an instance, as far as a class of the program does that."""
        made = self._constructions.of_class(name)
        return "unknown" if made is not None and (made.runs or made.why) else "nothing"

    def _is_of_session(self, module: Module, call: ast.Call) -> bool:
        if not isinstance(call.func, ast.Attribute):
            return False
        values = self._evaluator.values(module, call.func.value)
        return all(isinstance(value, Session) for value in values)


def _worse(one: Below, other: Below) -> Below:
    return "unknown" if "unknown" in (one, other) else "nothing"
