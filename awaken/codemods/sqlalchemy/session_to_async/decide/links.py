"""Links between pieces of a program: calls, passed functions, inheritance, held objects, fixtures.

Only pieces that change are linked, and those between them: who calls one of them without changing
itself may still carry a session from one to the other.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import (
    Shared,
    pieces_using,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import (
    Piece,
    piece_around,
    piece_of,
)
from awaken.codemods.sqlalchemy.session_to_async.decide.carriers import Carriers
from awaken.codemods.sqlalchemy.session_to_async.find.idle import mentions_of
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.unresolved import is_plain
from awaken.contract import Place
from awaken.kit.search import argument, is_imported
from awaken.knowledge.asynchronous.boundaries import handed_by_function
from awaken.knowledge.decorators import library_decorators
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import (
    Function,
    last_name,
    named_parameters,
    parameters_of,
    without_arguments,
)
from awaken.project.values.domain import FunctionOf, InstanceOf, Value, without_none

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart

Key = Hashable
Link = tuple[Key, Key]


class Links:
    """The links of one program; ``pieces`` are those that change, and grow by what is between.

    ``shared`` are the engines and factories that join nobody, by their names.
    """

    def __init__(
        self,
        part: SynchronousPart,
        pieces: Iterable[Piece],
        shared: dict[str, Shared],
    ) -> None:
        self._part = part
        self._project = part.project
        # Statements of files whose variables carry what changes.
        self._followed: set[Piece] = set()
        self.pieces: set[Piece] = set(pieces)
        self.links: list[Link] = []
        self._own = {resource.piece for resource in shared.values()}
        for piece in pieces_using(shared.values()):
            self._add(piece)
        # Statements that make engines and factories join nobody.
        self.pieces -= self._own
        self._follow_at(sorted(self.pieces))
        new = set(self.pieces)
        while new:
            before = set(self.pieces)
            self._link_callers(new)
            self._link_named(new)
            new = self.pieces - before
        self._waiting()
        self._in_classes()
        self._link_nested_functions()
        self._in_fixtures()
        self.links += Carriers(part, self.pieces, shared).links()

    def _add(self, piece: Piece) -> None:
        if piece not in self._own:
            self.pieces.add(piece)

    def _link(self, one: Key, other: Piece) -> None:
        if other not in self._own:
            self.pieces.add(other)
            self.links.append((one, other))

    # ------------------------------------------------------------------------------ calls and kin
    def _link_callers(self, pieces: Iterable[Piece]) -> None:
        graph, kin = self._project.calls.graph(), self._project.calls.override_sets()
        waiting = sorted(piece for piece in pieces if self._is_function(piece))
        seen = set(waiting)
        while waiting:
            piece = waiting.pop()
            function = FunctionPlace(*piece)
            for call in graph.callers(function):
                caller = self._caller(call)
                if caller is None:
                    continue
                is_new = caller not in self.pieces
                self._link(piece, caller)
                if is_new and not caller.name:  # `engine, name = make()`
                    self._follow_at([caller])
                if is_new and caller not in seen and self._hands_back(caller):
                    seen.add(caller)
                    waiting.append(caller)
            for other in kin.override_set(function):
                if piece_of(other) in self.pieces:
                    self._link(piece, piece_of(other))

    def _waiting(self) -> None:
        """Link what waits with what it waits for, and what is passed on in place of each other."""
        for function, step in self._part.steps.items():
            if step.to is not None and function.start >= 0 and step.to.start >= 0:
                self._link(piece_of(function), piece_of(step.to))
        for number, component in enumerate(self._part.escaping_components):
            key = ("handed on", number)
            inside = {piece_of(item) for item in component.functions if item.start >= 0}
            for place in (*component.lambdas, *component.threads, *component.annotations):
                inside |= set(self._pieces_at(place))
            for call in component.calls.values():
                caller = self._caller(call)
                inside |= set() if caller is None else {caller}
            self.links += [(key, piece) for piece in sorted(inside & self.pieces)]

    def _pieces_at(self, place: Place) -> Iterator[Piece]:
        for module, node in self._project.expressions_at(place):
            yield piece_around(module, node)

    def _caller(self, call: Call) -> Piece | None:
        """Return the piece that contains a call; None for code that stays synchronous anyway."""
        if call.caller.start >= 0:
            return piece_of(call.caller)
        for module, node in self._project.calls_at(call.place):
            piece = piece_around(module, node)
            return None if self._stays(module, piece) else piece
        return None

    def _stays(self, module: Module, piece: Piece) -> bool:
        """Whether a piece is of a file of Alembic, and nothing in it changes."""
        return is_of_alembic(module) and piece not in self.pieces

    def _is_function(self, piece: Piece) -> bool:
        return self._project.calls.graph().number_of(piece.path, piece.start) is not None

    def _hands_back(self, piece: Piece) -> bool:
        """Whether a function gives something to those who call it."""
        pair = self._part.node_of(FunctionPlace(*piece)) if self._is_function(piece) else None
        if pair is None:
            return False
        module, node = pair
        return module.is_generator(node) or bool(module.returned_by(node))

    # ----------------------------------------------------------------------------------- mentions
    def _link_named(self, pieces: Iterable[Piece]) -> None:
        """Link functions to those who hand them on, and variables and classes to who uses them."""
        functions, classes = self._targets(pieces)
        uncalled = {
            name
            for name, piece in functions.items()
            if piece not in self._followed and self._is_function(piece)
        }
        others = {*classes, *functions} - uncalled
        for mention in mentions_of(self._project, others, uncalled):
            module, node = mention.module, mention.node
            if self._stays(module, piece_around(module, node)):
                continue
            above = module.parent(node)
            is_called = isinstance(above, ast.Call) and above.func is node
            if mention.qualified in classes:
                piece = classes[mention.qualified]
                is_read = isinstance(above, ast.Attribute) and not self._is_function(piece)
                is_used = is_called or is_read or _escapes(module, node)
            else:
                # The calls of functions are those of the call graph.
                piece = functions[mention.qualified]
                is_alone = not is_called and begins_alone(self._part, module, node)
                is_used = piece in self._followed or not (is_called or is_alone)
            if is_used:
                around = piece_around(module, node)
                self._follow(module, around)
                self._link(piece, around)

    def _targets(self, pieces: Iterable[Piece]) -> tuple[dict[str, Piece], dict[str, Piece]]:
        """Return the functions and variables that pieces are, and the classes that they make."""
        functions: dict[str, Piece] = {}
        classes: dict[str, Piece] = {}
        for module, piece in self._project.with_modules(sorted(pieces)):
            if piece in self._followed:
                functions |= dict.fromkeys(_bound_names(module, piece), piece)
            elif piece.name:
                functions[f"{module.name}.{piece.name}"] = piece
                owner = self._holder(module, piece)
                below = () if owner is None else (owner, *self._project.all_subclasses(owner))
                for name in below:
                    classes.setdefault(name, piece)
        for name in classes:
            functions.pop(name, None)
        return functions, classes

    def _follow_at(self, pieces: Iterable[Piece]) -> None:
        for pair in self._project.with_modules(pieces):
            self._follow(*pair)

    def _follow(self, module: Module, piece: Piece) -> None:
        """Follow the variables of a statement, unless it makes an application: all use that."""
        if piece.name:
            return
        for statement in module.tree.body:
            if module.span(statement).start == piece.start:
                value = getattr(statement, "value", None)
                made = self._project.values.of(module, value).alternatives if value else ()
                if not any(map(_is_application, made)):
                    self._followed.add(piece)

    def _holder(self, module: Module, piece: Piece) -> str | None:
        """Return the class whose objects a piece makes hold a session: itself, or its `__init__`.

        For other methods, the fields that they use decide.
        """
        function = module.function_at(piece.start)
        owner = module.parent(function)
        if isinstance(owner, ast.ClassDef):
            return module.full_name(owner)
        qualified = f"{module.name}.{piece.name}"
        return qualified if self._project.class_facts(qualified) is not None else None

    # -------------------------------------------------------------------- classes, files, fixtures
    def _in_classes(self) -> None:
        """Link the methods of a class, and of those that inherit from it."""
        for module, piece in self._project.with_modules(sorted(self.pieces)):
            owner = piece.name.rpartition(".")[0]
            if not owner or owner.endswith("<locals>"):
                continue
            qualified = f"{module.name}.{owner}"
            self.links.append((("class", qualified), piece))
            for below in self._project.all_subclasses(qualified):
                self.links.append((("class", qualified), ("class", below)))
        for module, piece in self._project.with_modules(sorted(self.pieces)):
            if piece.name and not self._is_function(piece):
                self.links.append((("class", f"{module.name}.{piece.name}"), piece))

    def _link_nested_functions(self) -> None:
        """Link functions inside of one function: they share its variables."""
        for piece in sorted(self.pieces):
            outermost = piece.name.partition(".<locals>")[0]
            if outermost != piece.name:
                key = ("inside", piece.path, outermost)
                self.links.append((key, piece))
                for other in self.pieces:
                    if other.path == piece.path and other.name == outermost:
                        self.links.append((key, other))

    def _in_fixtures(self) -> None:
        """Link tests and fixtures with the fixtures that they may ask for by name."""
        asked: defaultdict[str, list[Piece]] = defaultdict(list)
        given: dict[str, list[Piece]] = defaultdict(list)
        for piece in sorted(self.pieces):
            pair = self._part.node_of(FunctionPlace(*piece)) if self._is_function(piece) else None
            if pair is None:
                continue
            _, node = pair
            if any(_is_fixture(decorator) for decorator in node.decorator_list):
                given[node.name].append(piece)
            if node.name.startswith("test") or given[node.name]:
                for argument in named_parameters(node):
                    asked[argument.arg].append(piece)
        paths = {item.path for fixtures in given.values() for item in fixtures}
        seen_in = {path: self._seen_in(path) for path in sorted(paths)}
        for name, fixtures in given.items():
            for fixture in fixtures:
                # Of two with one name, one may be overridden by the other.
                for piece in (*fixtures, *asked[name]):
                    if piece != fixture and f"{piece.path}/".startswith(seen_in[fixture.path]):
                        self.links.append((fixture, piece))

    def _seen_in(self, path: str) -> str:
        """Return what begins the paths of files that see fixtures of one: its folder, or itself."""
        module = self._project.module(path)
        folder, _, name = path.rpartition("/")
        if module is None or is_imported(self._project, module):
            return ""  # others may have it under its name
        if name == "conftest.py":
            return f"{folder}/" if folder else ""
        is_of_tests = name.startswith("test_") or name.endswith("_test.py")
        return f"{path}/" if is_of_tests else ""


def _is_application(value: Value) -> bool:
    return isinstance(value, InstanceOf) and value.qualified in library_decorators().awaiting


def _is_fixture(decorator: ast.expr) -> bool:
    return last_name(without_arguments(decorator)) in {"fixture", "yield_fixture"}


def _bound_names(module: Module, piece: Piece) -> Iterator[str]:
    """Yield the names that a statement of a file gives a value, qualified."""
    for name, bindings in module.scopes.module.bindings.items():
        for binding in bindings:
            if binding.kind in {"assignment", "annotation", "augmented"}:
                statement = piece_around(module, binding.node)
                if statement == piece:
                    yield f"{module.name}.{name}"


def _escapes(module: Module, node: ast.expr) -> bool:
    """Whether a class is passed to something that may make objects of it."""
    match module.parent(node):
        case ast.Call() | ast.Dict() | ast.List() | ast.Tuple() | ast.Assign() | ast.Return():
            return not _asks_for_type(module.parent(node))
        case ast.keyword():
            return True
    return False


def _asks_for_type(call: ast.AST | None) -> bool:
    names = {"cast", "get", "isinstance", "issubclass", "query", "scalar", "scalars", "select"}
    return isinstance(call, ast.Call) and last_name(call.func) in names


_NOTHING, _NAMELESS = ast.Tuple([], ast.Load()), ast.Dict([], [])
_HOLDING = {f"builtins.{name}" for name in ("dict", "frozenset", "list", "set", "tuple")}


def begins_alone(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is what a new thread calls, with arguments that carry nothing of a session.

    The thread drops what it returns, so such a function may stay synchronous, and its caller not.
    """
    project, call = part.project, module.call_taking(node)
    name = None if call is None else project.qualified_name(module, call.func)
    if call is None or name not in library_names().threads:
        return False
    row = handed_by_function()[name]
    functions = project.values.of(module, node).alternatives
    if argument(call, row.position, row.argument) is not node or len(functions) != 1:
        return False
    function = functions[0]
    if not isinstance(function, FunctionOf) or not isinstance(function.node, Function):
        return False
    home, parameters = function.module, [pair[0] for pair in parameters_of(function.node.args)]
    keywords = {item.arg: item.value for item in call.keywords}
    is_read = keywords.keys() <= {row.argument, "args", "daemon", "kwargs", "name"}
    if not is_read or len(call.args) > row.position + 1 or home.enclosing_class(function.node):
        return False
    values, named = keywords.get("args", _NOTHING), keywords.get("kwargs", _NAMELESS)
    if not isinstance(values, ast.List | ast.Tuple) or not isinstance(named, ast.Dict):
        return False
    by_name: dict[object, ast.arg] = {parameter.arg: parameter for parameter in parameters}
    passed = [*zip_longest(values.elts, parameters[: len(values.elts)])]
    for key, value in zip(named.keys, named.values, strict=True):
        passed.append((value, by_name.get(getattr(key, "value", None))))
    return all(
        parameter is not None
        and not isinstance(value, ast.Starred)
        and (_is_of_file(module, value) or _says_plain(part, home, parameter))
        for value, parameter in passed
    )


def _is_of_file(module: Module, value: ast.expr) -> bool:
    """Whether an argument is constant, or a variable of the file, which no request gives."""
    if not isinstance(value, ast.Name):
        return isinstance(value, ast.Constant)
    bindings = module.scopes.bindings_of(value)
    return bool(bindings) and all(item.scope is module.scopes.module for item in bindings)


def _says_plain(part: SynchronousPart, home: Module, parameter: ast.arg) -> bool:
    """Whether an annotation says that a parameter is a plain value, which holds no others."""
    if parameter.annotation is None:
        return False
    declared = part.project.values.declared(home, parameter.annotation)
    wanted = without_none(declared.alternatives)
    return (
        declared.is_known
        and bool(wanted)
        and all(
            isinstance(value, InstanceOf)
            and value.qualified not in _HOLDING
            and is_plain(part, value)
            for value in wanted
        )
    )
