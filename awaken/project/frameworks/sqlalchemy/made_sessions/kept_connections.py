"""Connections that a program keeps in an object of a library, which reads them in later calls.

``config.attributes["connection"] = connection``, and ``command.upgrade(config, "head")``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.knowledge.asynchronous import twins
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.modules import Module, cached_in_file
from awaken.project.source.trees import (
    Function,
    argument_of,
    arguments_of,
    parameter_getting,
)
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import FunctionOf

_KEEPING = twins().handed.keeping
_LOOKING = {"attribute", "compared", "formatted", "tested"}
"""Ways to use an object that leave its connection alone."""
_LIBRARIES = {name.partition(".")[0] for name in _KEEPING}


def is_in_same_function(module: Module, node: ast.AST, other: ast.AST) -> bool:
    """Whether one function runs both: a variable of it is bound in both places."""
    around = module.enclosing_function(node)
    return around is not None and around is module.enclosing_function(other)


def argument_for(
    module: Module, function: ast.FunctionDef, name: ast.Name, call: ast.Call
) -> ast.expr | None:
    """Return what ``call`` passes for the parameter ``name`` of a plain function."""
    binding = module.scopes.parameter_of(name)
    if binding is None or binding.scope.node is not function:
        return None
    # A decorated function, or a method, may be passed other arguments.
    is_plain = not function.decorator_list and module.enclosing_class(function) is None
    if not is_plain or not isinstance(binding.node, ast.arg):
        return None
    argument = argument_of(call, function, binding.node, 0)
    return argument if isinstance(argument, ast.Name) else None


@cached_in_file
def names_keeping(module: Module) -> bool:
    """Whether a file names a library whose objects keep connections."""
    return any(name.encode() in module.source.text for name in _LIBRARIES)


class KeptConnections:
    """Answers for one program; ``is_session`` tells whether an expression is one."""

    def __init__(
        self, evaluator: ProgramEvaluator, is_session: Callable[[Module, ast.expr], bool]
    ) -> None:
        self._evaluator = evaluator
        self._is_session = is_session

    def read_by(self, module: Module, call: ast.Call) -> ast.expr | None:
        """Return the connection of an object that a call is passed, and uses."""
        for argument in arguments_of(call) if names_keeping(module) else ():
            kept = self.kept_in(module, argument)
            if kept is not None and self._is_read(module, call, argument):
                return kept
        return None

    def is_followed(self, module: Module, call: ast.Call, argument: ast.expr) -> bool:
        """Whether a call passes an object to functions of its library and the program alone."""
        calls = Queue([(module, call, argument)], lambda item: item[0].place(item[1]))
        for item in calls:
            name = self._evaluator.names.qualified_name(item[0], item[1].func)
            if name is not None and name.partition(".")[0] in _LIBRARIES:
                continue
            further = self._passed_on(*item)
            if further is None or (name and self._evaluator.names.locate(name) is None):
                return False
            calls += further
        return True

    def _is_read(self, module: Module, call: ast.Call, argument: ast.expr) -> bool:
        """Whether a call may use the connection in its argument: a function may pass that on."""
        calls = Queue([(module, call, argument)], lambda item: item[0].place(item[1]))
        for item in calls:
            further = self._passed_on(*item)
            if further is None:
                return True
            calls += further
        return False

    def _passed_on(
        self, module: Module, call: ast.Call, argument: ast.expr
    ) -> list[tuple[Module, ast.Call, ast.expr]] | None:
        """Return the calls that pass an argument of ``call`` on; None if ``call`` may use it."""
        name = self._evaluator.names.qualified_name(module, call.func)
        if name is not None and self._evaluator.names.locate(name) is None:
            # Others, such as `ScriptDirectory.from_config`, read files alone.
            return None if name.rpartition(".")[0] in _KEEPING.values() else []
        further: list[tuple[Module, ast.Call, ast.expr]] = []
        for value in self._evaluator.values(module, call.func):
            if not isinstance(value, FunctionOf) or not isinstance(value.node, Function):
                return None
            # A function that is passed it in another way may do anything with it.
            parameter = parameter_getting(call, value.node, argument, 0)
            if parameter is None:
                return None
            for read in value.module.nodes_below(value.node, ast.Name):
                way, above = use_of(value.module, read)
                if read.id == parameter.arg and way == "argument":
                    further.append((value.module, above, read))
                elif read.id == parameter.arg and way not in _LOOKING:
                    return None
        return further

    def kept_in(self, module: Module, held: ast.expr) -> ast.expr | None:
        """Return the connection that the object in a variable keeps; None if it keeps none.

        The object is made here, or by a function that is passed the connection.
        """
        if not isinstance(held, ast.Name) or not names_keeping(module):
            return None
        made = module.scopes.only_value(held)
        is_local = made is not None and is_in_same_function(module, held, made)
        if not isinstance(made, ast.Call) or not is_local:
            return None
        put = next(self._put_into(module, held, made), None)
        return put or self._given_to_maker(module, made)

    def _put_into(self, module: Module, held: ast.Name, made: ast.Call) -> Iterator[ast.Name]:
        """Yield the connections that are put into attributes of an object of a library."""
        if self._evaluator.names.qualified_name(module, made.func) not in _KEEPING:
            return
        for read in module.scopes.reads_of(held):
            match module.statement_of(read):
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Attribute(value=owner))],
                    value=ast.Name() as given,
                ) if owner is read and self._is_session(module, given):
                    yield given

    def _given_to_maker(self, module: Module, made: ast.Call) -> ast.expr | None:
        """Return the argument of a call that the called function puts into what it returns."""
        for value in self._evaluator.values(module, made.func):
            if not isinstance(value, FunctionOf) or not isinstance(value.node, ast.FunctionDef):
                continue
            home, node = value.module, value.node
            for returned in home.returned_by(node):
                begun = home.scopes.only_value(returned)
                if not isinstance(returned, ast.Name) or not isinstance(begun, ast.Call):
                    continue
                # It is returned by the function that puts the connection there, not by others.
                for kept in self._put_into(home, returned, begun):
                    argument = argument_for(home, node, kept, made)
                    if argument is not None:
                        return argument
        return None
