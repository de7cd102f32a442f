"""Calls by the name of a function that its parameters allow to be calls of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from uuid import UUID

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.file_facts import written_arguments, written_parameters
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import arguments_given, root_of
from awaken.project.values.domain import InstanceOf, NoneValue, Session, TupleOf, Value

_PLAIN = name_list("plain_values")
_READING: Mapping[str, Callable[[str], object]] = {"builtins.int": int, "uuid.UUID": UUID}
"""What keys of rows are declared as, and what reads one from a text."""


def fits(part: SynchronousPart, module: Module, call: ast.Call, function: FunctionPlace) -> bool:
    """Whether ``call``, of ``module``, may be a call of a function that waits, by its name.

    A method is called by an attribute. So is a function of a file, if an object has it or may be
    the module of the file. For the arguments see ``takes``.
    """
    node = part.node_of(function)
    if node is None or (isinstance(call.func, ast.Name) and takes_receiver(*node)):
        return False
    if isinstance(call.func, ast.Attribute) and _is_unreachable(part, call.func, module, function):
        return False
    return takes(part, module, call, function)


def _is_unreachable(
    part: SynchronousPart, called: ast.Attribute, module: Module, function: FunctionPlace
) -> bool:
    """Whether what ``called`` is read from has no function of that file: it is no imported name."""
    pair = part.node_of(function)
    if pair is None or pair[0].parent(pair[1]) is not pair[0].tree or pair[1].decorator_list:
        return False
    root = root_of(called)
    if isinstance(root, ast.Name):
        kinds = {binding.kind for binding in module.scopes.bindings_of(root)}
        if not kinds or "import" in kinds:
            return False
    calls = part.project.calls
    return not calls.is_value(function.path) and not calls.passed_functions().components_of(
        function
    )


def takes(part: SynchronousPart, module: Module, call: ast.Call, function: FunctionPlace) -> bool:
    """Whether a function that waits takes the arguments of ``call``, of ``module``.

    It does not if they are too many or too few, or under other names: Python raises TypeError. And
    it does not if a plain value is passed for a session or a mapped object. The first use of it
    would raise AttributeError, and no program calls a function that only raises. No program asks
    for the row whose number is a word either, as `get("name")` of a dictionary. A test may pass a
    text for a session if it replaced all calls of the function. Then the function itself has to use
    the session.
    """
    pair = part.node_of(function)
    if pair is None:
        return False
    home, node = pair
    bound = int(takes_receiver(home, node))
    parameters = written_parameters(node.args)
    bindable = parameters.behind_first() if bound else parameters
    return bindable.bind(written_arguments(call)) and not any(
        _is_foreign(part, module, argument, home, parameter)
        and (not is_test_file(module.path) or _uses(part, home, function, parameter))
        for parameter, argument in arguments_given(call, node, bound)
    )


def _is_foreign(
    part: SynchronousPart, module: Module, given: ast.expr, home: Module, parameter: ast.arg
) -> bool:
    """Whether a plain value is given where something of the database is declared."""
    if parameter.annotation is None:
        return False
    declared = part.project.values.declared(home, parameter.annotation)
    wanted = [alternative for alternative in declared.alternatives if alternative != NoneValue()]
    if not declared.is_known or not wanted:
        return False
    if isinstance(given, ast.Constant) and all(_cannot_be(given.value, one) for one in wanted):
        return True
    if not all(_is_of_database(part, one) for one in wanted):
        return False
    values = part.project.values.of(module, given)
    alternatives = values.alternatives if values.is_known else ()
    return bool(alternatives) and all(is_plain(part, alternative) for alternative in alternatives)


def _cannot_be(constant: object, declared: Value) -> bool:
    """Whether a text is no number, or no UUID, where one is declared."""
    reading = _READING.get(declared.qualified) if isinstance(declared, InstanceOf) else None
    if reading is None or not isinstance(constant, str):
        return False
    try:
        reading(constant)
    except ValueError:
        return True
    return False


def _is_of_database(part: SynchronousPart, value: Value) -> bool:
    match value:
        case Session():
            return True
        case InstanceOf():
            is_known = value.qualified in library_names().engines
            return is_known or part.project.orm.mapped_class(value.qualified) is not None
    return False


def keeps_nothing(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether what ``call`` gives, plain values or mapped objects, keeps none of its arguments."""
    result = part.project.values.of(module, call)
    return result.is_known and all(
        value == NoneValue()
        or is_plain(part, value)
        or (isinstance(value, InstanceOf) and _is_of_database(part, value))
        for value in result.alternatives
    )


def is_plain(part: SynchronousPart, value: Value) -> bool:
    """Whether a value is no session, no engine and no mapped object, and is not None."""
    # None represents much that is assigned later, and arguments that a test leaves out.
    match value:
        case TupleOf():
            return True
        case InstanceOf():
            # A member of an enumeration: no other class inherits from one that has members.
            bases = part.project.library_ancestors(value.qualified)
            return value.qualified in _PLAIN or any(base.startswith("enum.") for base in bases)
    return False


def _uses(part: SynchronousPart, home: Module, function: FunctionPlace, parameter: ast.arg) -> bool:
    """Whether a function itself waits for the session that its ``parameter`` is."""
    return any(
        isinstance(node, ast.Name) and node.id == parameter.arg
        for operation in part.operations_of(home, function)
        if operation.how != "unknown"
        for node in ast.walk(operation.node)
    )
