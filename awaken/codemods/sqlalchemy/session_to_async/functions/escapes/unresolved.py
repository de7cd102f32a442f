"""Calls by the name of a function that waits, of which it is not known what they call.

``for key, value in found.items()`` calls no generator whose items cannot be unpacked: that would
raise TypeError.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.find.idle import is_of_uncalled
from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_CALL
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.names.file_facts import written_arguments, written_parameters
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.modules import Module
from awaken.project.source.programs.undefined import is_undefined
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, arguments_given, last_name, root_of
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import (
    ClassOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    Session,
    TupleOf,
    Value,
)

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project
    from awaken.project.values.domain import Unknown

_ITERABLE = {"__getattr__", "__getattribute__", "__getitem__", "__iter__"}


def unpacks_others(
    part: SynchronousPart, module: Module, call: ast.Call, function: FunctionPlace
) -> bool:
    """Whether ``call``, of ``module``, is unpacked item by item, and ``function`` yields others."""
    above = module.parent(call)
    match above:
        case (
            ast.For(iter=iterated, target=ast.Tuple() | ast.List())
            | ast.comprehension(iter=iterated, target=ast.Tuple() | ast.List())
        ) if iterated is call:
            pass
        case _:
            return False
    home, node = part.node_of(function) or (None, None)
    if home is None or node is None:
        return False
    if all(_does_nothing(statement) for statement in node.body):
        # It gives None, or another method runs in its place.
        return True
    if not home.is_generator(node):
        return False
    yielded = [*_yielded_nodes(home, node)]
    return bool(yielded) and all(
        item is not None and _is_no_iterable(part.project, home, item) for item in yielded
    )


def _does_nothing(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass)


def _yielded_nodes(module: Module, function: Function) -> list[ast.expr | None]:
    """Return what a function yields; None for what another one does in its place."""
    yields = module.yields_of(function)
    return [node.value if isinstance(node, ast.Yield) else None for node in yields]


def _is_no_iterable(project: Project, module: Module, node: ast.expr) -> bool:
    possible_values = project.values.of(module, node)
    return (
        possible_values.is_known
        and bool(possible_values.alternatives)
        and all(_is_plain_object(project, value) for value in possible_values.alternatives)
    )


def _is_plain_object(project: Project, value: Value) -> bool:
    """Whether a value is an object of a class of the program that has no items."""
    if not isinstance(value, InstanceOf):
        return False
    facts = project.class_facts(value.qualified)
    above = set(project.library_ancestors(value.qualified))
    if facts is None or not above <= {"abc.ABC", "builtins.object"}:
        return False
    classes = [value.qualified, *project.all_subclasses(value.qualified)]
    known = [project.class_facts(class_) for class_ in classes]
    names = {name for item in known if item is not None for name in item.attributes}
    return len(classes) == len([candidate for candidate in known if candidate is not None]) and (
        names.isdisjoint(_ITERABLE)
    )


def unresolved_calls(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the calls that may reach a function which becomes a coroutine function.

    Left out are calls with arguments that it does not take, unreachable ones, and awaited ones. So
    are those that unpack another result, and those in files that no process runs with the function.
    """
    project = part.project
    by_name = groups_of(part.steps, lambda function: function.name)
    escaping = {place for component in part.escaping_components for place in component.calls}
    for call in project.calls.graph().unresolved_calls(by_name):
        if call.place in escaping:
            continue
        module, node = next(iter(project.calls_at(call.place)), (None, None))
        if module is None or node is None or set(call.functions) & set(part.steps):
            continue
        if _is_of_session(part, module, node) or _is_behind_error(part, module, node):
            continue
        if is_awaited_already(module, call) or is_of_uncalled(project, module, node):
            continue
        fitting = [
            one
            for one in by_name[call.name]
            if fits(part, module, node, one)
            and not unpacks_others(part, module, node, one)
            and project.calls.may_meet(module.path, one.path)
        ]
        if fitting:
            why = f"`{fitting[0].qualname}`, which becomes a coroutine function: {call.why}"
            site: Site[ast.AST] = Site(rule, module, node)
            along = tuple(item.place for item in fitting)
            shown = f"`{module.excerpt(node)}`"
            unknown = unknown_behind(project, (call.place,))
            kinds = {item.qualname.rpartition(".")[0] for item in fitting}
            cure = annotation(project, (call.place,), kinds.pop() if len(kinds) == 1 else "")
            because = () if unknown is None or not cure else (unknown.place,)
            yield Member(site, Refused(UNKNOWN_CALL, why, cure, because), shown, along)


def is_awaited_already(module: Module, call: Call) -> bool:
    """Whether a call that is not resolved is awaited: it gives what a decorator makes of it."""
    nodes = module.calls_at(call.place.span) if call.kind == "unknown" else []
    return any(isinstance(module.parent(node), ast.Await) for node in nodes)


def _is_of_session(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether a method of a session is called, as those who call the function around tell."""
    if not isinstance(call.func, ast.Attribute):
        return False
    return isinstance(part.project.orm.session_of(module, call.func.value), SessionProof)


def _is_behind_error(part: SynchronousPart, module: Module, call: ast.Call) -> bool:
    """Whether a session is asked for what it does not have before: ``session.select(X).filter()``.

    That raises AttributeError, so nothing is called on it. Nor is anything on an undefined name.
    """
    project = part.project
    if is_undefined(project, module, call.func):
        return True
    for node in ast.walk(call.func):
        if isinstance(node, ast.Attribute) and node is not call.func:
            if node.attr in twins().members["session"]:
                continue
            proof = project.orm.session_of(module, node.value)
            match proof:
                case SessionProof(kind="session", unless="", query_class=""):
                    # A program may set it itself.
                    if not project.files_with((f".{node.attr} =".encode(),)):
                        return True
    return False


def dynamic_calls(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the calls of what `getattr` gives that may be a function which waits.

    Of an object of which nothing is known, anything may be asked: such calls are not yielded.
    """
    escaping = {place for component in part.escaping_components for place in component.calls}
    for call in part.project.calls.graph().calls():
        if call.kind != "unknown" or "getattr" not in call.why or call.place in escaping:
            continue
        for module, node in part.project.calls_at(call.place)[:1]:
            result = _found_by(module, node)
            if result is None:
                continue
            meant = [
                one
                for one in _possible_functions(part, module, result)
                if takes(part, module, node, one)
            ]
            if meant:
                why = f"`{meant[0].qualname}`, which becomes a coroutine function: {call.why}"
                shown = f"`{module.excerpt(node)}`"
                along = tuple(function.place for function in meant)
                yield Member(Site(rule, module, node), Refused(UNKNOWN_CALL, why), shown, along)


def _found_by(module: Module, call: ast.Call) -> ast.Call | None:
    """Return the call of `getattr` whose result is called."""
    function: ast.expr | None = call.func
    if isinstance(function, ast.Name):
        function = module.scopes.only_value(function)
    if isinstance(function, ast.Call) and module.scopes.builtin_called(function) == "getattr":
        return function if function.args else None
    return None


def _possible_functions(
    part: SynchronousPart, module: Module, found: ast.Call
) -> Iterator[FunctionPlace]:
    """Yield the functions that wait, and that an object may have under some name."""
    homes: set[str] = set()
    for value in part.project.values.of(module, found.args[0]).alternatives:
        match value:
            case ModuleOf(path=path):
                homes.add(part.project.layout.name_of(path))
            case InstanceOf(qualified=qualified) | ClassOf(qualified=qualified):
                homes |= {qualified, *part.project.all_subclasses(qualified)}
    for function in sorted(part.steps):
        name = f"{part.project.layout.name_of(function.path)}.{function.qualname}"
        if name.rpartition(".")[0] in homes:
            yield function


def unknown_behind(project: Project, places: Sequence[Place]) -> Unknown | None:
    """Return where it ends what the object is, of which a call at one of ``places`` is a method."""
    for module, receiver in _receivers(project, places):
        unknown = project.values.of(module, receiver).unknown
        if unknown is not None:
            return unknown
    return None


def annotation(project: Project, places: Sequence[Place], kind: str) -> str:
    """Return the annotation to write if that is a parameter without one, or an empty text.

    ``kind`` is the class of the objects on which the methods at ``places`` are called.
    """
    unknown = unknown_behind(project, places) if kind else None
    module = None if unknown is None else project.module(unknown.place.path)
    if module is None or unknown is None:
        return ""
    names = {last_name(receiver) for _, receiver in _receivers(project, places)}
    for node in module.nodes(ast.arg):
        if module.span(node) == unknown.place.span:
            if node.annotation is not None:
                return ""
            # Another object may come from it, as `one` of `for one in node.items()` does.
            if node.arg in names:
                return f"Annotate the parameter with its class: `{node.arg}: {kind}`."
            return f"Annotate the parameter `{node.arg}` with its class."
    return ""


def _receivers(project: Project, places: Sequence[Place]) -> Iterator[tuple[Module, ast.expr]]:
    for place in places:
        for module, call in project.calls_at(place):
            if isinstance(call.func, ast.Attribute):
                yield module, call.func.value


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
