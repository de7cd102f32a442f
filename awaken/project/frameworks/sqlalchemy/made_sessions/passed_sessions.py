"""Sessions and connections that a program hands to what stays synchronous.

Those are functions of libraries, of revisions of Alembic, and what is found by no name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.sqlalchemy.made_sessions.kept_connections import KeptConnections
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_revision
from awaken.project.source.trees import arguments_of, last_name
from awaken.project.values.domain import ClassOf, External, FunctionOf, InstanceOf, Unknown

_INSPECTOR = "sqlalchemy.Inspector"


class _Given(NamedTuple):
    """An argument: a session, or what is connected by a call of one's method."""

    session: ast.expr
    is_connected: bool = False


class PassedSessions:
    """Finds the calls that are given a session or connection, one after the other.

    ``is_session`` tells of an expression whether it is one, ``is_engine`` whether it is an engine:
    what is made of it inspects the database.
    """

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        is_session: Callable[[Module, ast.expr], bool],
        is_engine: Callable[[Module, ast.expr], bool],
    ) -> None:
        self._evaluator = evaluator
        self._is_session = is_session
        self._is_engine = is_engine
        self._harmless = frozenset(twins().handed.harmless)
        self._inspecting = frozenset(twins().handed.inspecting)
        self._sending = frozenset(twins().handed.sending)
        self.kept = KeptConnections(evaluator, is_session)

    def session_given_to(self, module: Module, call: ast.Call) -> tuple[str, ast.expr] | None:
        """Return the function that ``call`` calls, and the session that it is given.

        A method of an inspector, or a function that gets one, reads with the inspector's session.
        """
        if isinstance(call.func, ast.Attribute):
            inspected = self._inspected_object(module, call.func.value)
            if inspected is not None:
                return f"{_INSPECTOR}.{call.func.attr}", inspected
        name = self._evaluator.names.qualified_name(module, call.func)
        is_sending = self._is_sending(module, call, name)
        read = (self._inspected_object(module, argument) for argument in arguments_of(call))
        inspected = next((session for session in read if session is not None), None)
        inspected = inspected or self.kept.read_by(module, call)
        is_own = name is None or self._evaluator.names.locate(name) is not None
        if inspected is not None and (is_own or self._stays(name or "")):
            return name or module.excerpt(call.func), inspected
        if name is not None and not is_sending and not self._stays(name):
            return None
        given = list(_given_arguments(module, call))
        called = name or (self._method(module, call.func) if given else None)
        if called is None and is_sending:
            called = last_name(call.func)
        # The callee is mostly of the program: then its arguments do not matter.
        if called is None and not any(self._is_by_path(module, call.func, item) for item in given):
            return None
        argument = next((item for item in given if self._is_session(module, item.session)), None)
        if argument is None:
            asked = arguments_of(call) if is_sending else call.args[: name in self._inspecting]
            engine = next((each for each in asked if self._is_asked(module, each)), None)
            return None if called is None or engine is None else (called, engine)
        if called is None and self._is_by_path(module, call.func, argument):
            called = module.excerpt(call.func)
        return None if called is None else (called, argument.session)

    def _is_sending(self, module: Module, call: ast.Call, name: str | None) -> bool:
        """Whether a call sends SQL over what it is given: a function, or a method of libraries."""
        is_method = isinstance(call.func, ast.Attribute) and call.func.attr in self._sending
        return name in self._sending or (
            is_method
            and not any(
                isinstance(value, FunctionOf) for value in self._evaluator.values(module, call.func)
            )
        )

    def _is_asked(self, module: Module, given: ast.expr) -> bool:
        """Whether the database of an engine is asked, other than the one inside of another."""
        is_inner = isinstance(given, ast.Attribute) and given.attr == "sync_engine"
        return not is_inner and self._is_engine(module, given)

    def _inspected_object(self, module: Module, held: ast.expr) -> ast.expr | None:
        """Return the session of the inspector that a variable holds; None if it holds another."""
        made = module.scopes.only_value(held)
        if not isinstance(made, ast.Call) or not made.args:
            return None
        if self._evaluator.names.qualified_name(module, made.func) not in self._inspecting:
            return None
        pair = self.session_given_to(module, made)
        return None if pair is None else pair[1]

    def _stays(self, name: str) -> bool:
        """Whether ``name`` is of what stays synchronous, and may use what it is given."""
        root = name.partition(".")[0]
        if name in self._inspecting:
            return True
        if root in sys.stdlib_module_names or root in {"builtins", *self._harmless}:
            return False
        located = self._evaluator.names.locate(name)
        return located is None or self._is_revision(located.path)

    @cached_method
    def _is_revision(self, path: str) -> bool:
        """Whether a file is a revision, or cannot be read."""
        home = self._evaluator.load(path)
        return home is None or is_revision(home)

    def _is_by_path(self, module: Module, function: ast.expr, given: _Given) -> bool:
        """Whether a revision that is loaded by its path has what is called.

        An unknown revision counts if it gets a connection: all that becomes asynchronous is known.
        """
        values = self._evaluator.values(module, function)
        if all(isinstance(value, Unknown) for value in values):
            return given.is_connected
        return all(isinstance(value, FunctionOf) and is_revision(value.module) for value in values)

    def _method(self, module: Module, function: ast.expr) -> str | None:
        """Return the method of a library that ``function`` is; None if it may be another."""
        if not isinstance(function, ast.Attribute):
            return None
        for owner in self._evaluator.values(module, function.value):
            match owner:
                case InstanceOf() | ClassOf() | External():
                    is_own = self._evaluator.classes.facts(owner.qualified) is not None
                    if is_own or not self._stays(owner.qualified):
                        return None
                case _:
                    return None
            return f"{owner.qualified}.{function.attr}"
        return None


def _given_arguments(module: Module, call: ast.Call) -> Iterator[_Given]:
    """Yield the arguments that may be a session, or what gives its connection."""
    for argument in arguments_of(call):
        made = module.scopes.only_value(argument)
        is_bind = isinstance(made, ast.Call) and last_name(made.func) == "get_bind"
        match made if is_bind else argument:
            case ast.Call(func=ast.Attribute(value=owner, attr="connection" | "get_bind")):
                if isinstance(owner, ast.Name | ast.Attribute):
                    yield _Given(owner, is_connected=True)
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr="bind"):
                yield _Given(owner)
            case ast.Name() | ast.Attribute():
                yield _Given(argument)
