"""Sessions and connections that a program puts into an object, which has them in later calls.

``config.attributes["connection"] = connection``, and ``command.upgrade(config, "head")``.

``Context(db, 1)``, ``{"db": db}``, ``context["db"] = db`` and ``SimpleNamespace(db=db)``: whoever
takes ``context.db`` or ``context["db"]`` out again may have the session.
"""

from __future__ import annotations

import ast
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from awaken.contract import Place
from awaken.knowledge.asynchronous import twins
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.expressions.made_classes import MADE_LIKE, made_fields
from awaken.project.source.memo import cached_in_file, cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    argument_of,
    arguments_of,
    keyword_of,
    parameter_getting,
)
from awaken.project.source.worklist import Queue, multimap
from awaken.project.values.domain import ClassOf, FunctionOf, InstanceOf

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


_ANY = frozenset({"argparse.Namespace", "builtins.dict", "dict", "types.SimpleNamespace"})
"""What takes any keyword."""
_Way = ast.Assign | ast.Call | ast.ClassDef | ast.Dict
"""A display, a call with keywords, or what declares fields."""


class _Put(NamedTuple):
    """A place where a session is put into an object of ``kind``."""

    kind: str
    place: Place


class PutSessions:
    """Finds where a program puts sessions in.

    ``is_session`` tells of an expression whether it is one.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, is_session: Callable[[Module, ast.expr], bool]
    ) -> None:
        self._evaluator = evaluator
        self._is_session = is_session

    def put_where(self, module: Module, node: ast.expr) -> Place | None:
        """Return where a session is put in that ``node`` may take out; None if there is none."""
        name, owner = _taken_name(module, node)
        if not name:
            return None
        values = () if owner is None else self._evaluator.values(module, owner)
        kinds = {value.qualified for value in values if isinstance(value, InstanceOf)}
        result = self._put(name)
        # Other functions may be passed here as well: the known facts of the owner may be
        # incomplete.
        return next((one.place for one in [*(x for x in result if x.kind in kinds), *result]), None)

    @cached_items
    def _put(self, name: str) -> Iterator[_Put]:
        named = self._evaluator.files_with([name.encode()])
        paths = (path for path in named if self._may_put(path, name))
        for module in self._evaluator.modules_at(paths):
            for node in self._writers_by_name(module).get(name, ()):
                if isinstance(node, ast.Dict):
                    yield from self._in_display(module, node, name)
                elif isinstance(node, ast.Call):
                    yield from self._by_keyword(module, node, name)
                elif isinstance(node, ast.ClassDef | ast.Assign):
                    yield from self._as_item(module, node, name)
                    made, fields = self._fields(module, node)
                    if name in fields:
                        yield from self._given_sessions(made, fields.index(name))

    def _may_put(self, path: str, name: str) -> bool:
        """Whether a file may put something under ``name``."""
        known, wanted = self._hashes(path), hash(name)
        at = bisect_left(known, wanted)
        return at < len(known) and known[at] == wanted

    @cached_method
    def _hashes(self, path: str) -> array[int]:
        """Return the hashes of a file's names, for which its tree is needed once."""
        module = self._evaluator.load(path)
        return array(
            "q", sorted(map(hash, () if module is None else self._writers_by_name(module)))
        )

    def _writers_by_name(self, module: Module) -> dict[str, list[_Way]]:
        """Return what may put something under a name, by that name, in source order."""
        nodes = module.nodes_of(ast.Dict, ast.Call, ast.ClassDef, ast.Assign)
        pairs = (
            (x, node) for node in nodes for x in dict.fromkeys(self._names_under(module, node))
        )
        return module.memoize(PutSessions, lambda: multimap(pairs))

    def _names_under(self, module: Module, node: _Way) -> Iterator[str]:
        """Yield the names under which ``node`` may put something."""
        if isinstance(node, ast.Dict):
            constants = (part.value for part in node.keys if isinstance(part, ast.Constant))
            yield from (constant for constant in constants if isinstance(constant, str))
        elif isinstance(node, ast.Call):
            yield from (keyword.arg for keyword in node.keywords if keyword.arg is not None)
        else:
            yield from self._fields(module, node)[1]
            match node:
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as key))]):
                    yield key

    def _in_display(self, module: Module, node: ast.Dict, name: str) -> Iterator[_Put]:
        for key, value in zip(node.keys, node.values, strict=True):
            is_it = isinstance(key, ast.Constant) and key.value == name
            if is_it and self._is_session(module, value):
                yield _Put("builtins.dict", module.place(value))

    def _as_item(
        self, module: Module, node: ast.ClassDef | ast.Assign, name: str
    ) -> Iterator[_Put]:
        match node:
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value
            ) if key == name and self._is_session(module, value):
                yield _Put("builtins.dict", module.place(value))

    def _by_keyword(self, module: Module, call: ast.Call, name: str) -> Iterator[_Put]:
        given = keyword_of(call, name)
        if given is None or not self._keeps(module, call.func):
            return
        if self._is_session(module, given):
            yield self._container_of(module, call, given)

    def _fields(self, module: Module, node: ast.ClassDef | ast.Assign) -> tuple[str, list[str]]:
        """Return the name of a class that is declared with fields, and these in their order."""
        match node:
            case ast.ClassDef(name=made, body=body):
                targets = [part.target for part in body if isinstance(part, ast.AnnAssign)]
                return made, [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.Assign(targets=[ast.Name(id=made)], value=ast.Call() as call):
                # Hardly any call has some: what it calls is asked of these.
                if fields := [*(made_fields(call) or ())]:
                    name = self._evaluator.names.qualified_name(module, call.func)
                    return made, fields if name in MADE_LIKE else []
        return "", []

    def _given_sessions(self, made: str, position: int) -> Iterator[_Put]:
        """Yield the sessions that are the argument at ``position`` where objects are made."""
        files = self._evaluator.files_with([made.encode()])
        for module in self._evaluator.names.facts.mentioning(made, files):
            for node in module.mentions(made):
                call = module.call_of(node)
                if call is None:
                    continue
                for argument in call.args[position : position + 1]:
                    if self._is_session(module, argument):
                        yield self._container_of(module, call, argument)

    def _container_of(self, module: Module, call: ast.Call, given: ast.expr) -> _Put:
        kind = self._evaluator.names.qualified_name(module, call.func) or ""
        return _Put("builtins.dict" if kind == "dict" else kind, module.place(given))

    def _keeps(self, module: Module, function: ast.expr) -> bool:
        """Whether a call keeps what it is given by its keyword: it makes an object."""
        if self._evaluator.names.qualified_name(module, function) in _ANY:
            return True
        return any(isinstance(value, ClassOf) for value in self._evaluator.values(module, function))


def _taken_name(module: Module, node: ast.expr) -> tuple[str, ast.expr | None]:
    """Return the name by which ``node`` takes something out, and of what; empty if it does not."""
    if isinstance(node, ast.Name):
        given = [item.value for item in module.scopes.bindings_of(node) if item.value is not None]
        taken = (_taken_name(module, part) for part in given if not isinstance(part, ast.Name))
        return next((pair for pair in taken if pair[0]), ("", None))
    owner, name = module.scopes.attribute_read(node)
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str() as name)):
            return name, owner
        case ast.Call(
            func=ast.Attribute(value=owner, attr="get"),
            args=[ast.Constant(value=str() as name), *_],
        ):
            return name, owner
    return name, owner
