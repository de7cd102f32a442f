"""Slots that hold a function between its assignment and its call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Self

from awaken.contract import Place
from awaken.knowledge.injection import injection
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.graph.callers.method_mentions import imported_by
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.resolving import is_decoded
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function, parameters_of, values_by_name, variable_of
from awaken.project.source.words import Words
from awaken.project.source.worklist import Queue
from awaken.project.values.domain import (
    ClassOf,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    Unknown,
    are_instances,
    classes_in,
)
from awaken.project.values.pytest_fixtures import (
    ASKING,
    fixture_for,
    fixtures_asked_for,
    is_asking,
    takes_fixture,
)
from awaken.project.values.wrapped import decorations

SAME = name_list("with_same_items")

TABLES_OF = name_list("same_dictionaries")

KEYS_OF = {"builtins.enumerate", "builtins.max", "builtins.min", "builtins.zip", *SAME} - TABLES_OF
"""Functions that take the keys of a dictionary, and leave its values alone."""
TAKING = name_list("giving_an_item")
ADDING = {**library_names().adding_methods, "setdefault": 1}
"""Methods that put one of their arguments into a container, with its position."""
JOINING = library_names().joining_methods
PASSING = {"copy": 0, "values": 0, "items": 1}
"""Methods that give what goes through the items, with how many containers are around them more."""
DEFAULT = 2
"""The position of what `getattr` gives where there is no attribute."""
TABLES = {"builtins.dict", "collections.OrderedDict", "collections.defaultdict"}
IDLE = {"clear", "keys", "remove", "discard", "index", "count"}
CALLING = {"contextlib.contextmanager", "functools.partial"}
"""Functions that make, of the first argument, something that calls it when it is called."""


STATE = "state"
"""What applications and requests keep things in: it takes any name, and one is the same for all."""
KEYS = 1000
"""Added to a depth where the functions are the keys of the innermost of the containers."""
IN_PAIRS = 2
"""The containers that `items` puts around the values of a dictionary, its own in place of that."""
_MAKES_FIELDS = name_list("making_fields")
_HAVE_FIELDS = {"pydantic.BaseModel", "pydantic_settings.BaseSettings", "typing.NamedTuple"}

_DEPENDING = injection().dependencies


Key = str | int | tuple[str, int]


class Depth(int):
    """How many containers are around functions, of which the innermost has them by a ``key``.

    A number is the position in a tuple. A function is its file and start.
    """

    key: Key

    def __new__(cls, number: int, key: Key) -> Self:
        """Return the number with the key."""
        depth = super().__new__(cls, number)
        depth.key = key
        return depth

    def __add__(self, number: int) -> int:
        return Depth(int(self) + number, self.key)

    def __sub__(self, number: int) -> int:
        """Return the depth in fewer containers; a function itself has no key."""
        left = int(self) - number
        return Depth(left, self.key) if left > 0 else left

    def __eq__(self, other: object) -> bool:
        """Whether both are the same: a number without a key is another depth."""
        return isinstance(other, Depth) and (int(self), self.key) == (int(other), other.key)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((int(self), self.key))


def depth_in(elements: Sequence[ast.expr], element: ast.AST, depth: int) -> int:
    """Return the depth of a tuple whose ``element`` is at ``depth``."""
    if depth or any(isinstance(part, ast.Starred) for part in elements):
        return depth + 1
    return Depth(1, elements.index(element))


def elements_at(elements: Sequence[ast.expr], depth: int) -> Sequence[ast.expr]:
    """Return the elements of a tuple, or of its targets, that what is at ``depth`` may be."""
    position = depth.key if isinstance(depth, Depth) and int(depth) == 1 else None
    if not isinstance(position, int) or any(isinstance(part, ast.Starred) for part in elements):
        return elements
    return elements[position : position + 1]


def without_position(depth: int) -> int:
    """Return the depth in another container with the items of a tuple: each may be anywhere."""
    return without_keys(depth) if isinstance(depth, Depth) and isinstance(depth.key, int) else depth


def without_keys(depth: int) -> int:
    """Return the depth in what gives the items of a container without their keys."""
    return int(depth) if int(depth) == 1 else depth


def _first_argument(call: ast.Call) -> ast.expr | None:
    return next(iter(call.args), None)


def _are_apart(depth: int, other: int) -> bool:
    """Whether items by two keys are never the same."""
    are_keyed = isinstance(depth, Depth) and isinstance(other, Depth) and int(depth) == 1
    return are_keyed and depth != other


class Slot(NamedTuple):
    """A variable, an attribute of a class, what a function returns, or what a library keeps.

    A variable has the file as ``owner`` and the start of its scope, -1 for that of the file; of an
    attribute ``owner`` is the class; of a result it is the file, and ``start`` the function;
    of a register it is the decorator, and ``name`` the attribute that has the functions. There is
    one for all overrides of dependencies.
    ``depth`` says how many containers are around the functions: 1 for a list of them, `KEYS` more
    for a dictionary whose keys they are.
    """

    kind: Literal["variable", "field", "overrides", "register", "result"]
    owner: str
    start: int
    name: str
    depth: int = 0


class Owners(NamedTuple):
    """The classes of the program that declare an attribute which an expression may be.

    ``STATE`` takes any name. ``is_complete`` is False where it may be of something else, too.
    """

    classes: tuple[str, ...]
    is_complete: bool = True


class Spot(NamedTuple):
    """An expression that is a function, or containers with functions in it, ``depth`` of them."""

    module: Module
    node: ast.expr
    depth: int = 0


class End(NamedTuple):
    """Where what is followed ends.

    ``call``: the expression is called; ``function``: it is this function; ``lambda``: it is this
    lambda; ``plain``: it is a builtin, or a method of a builtin type; ``thread``: this call runs it
    in a thread; ``absorbed``: this call takes coroutine functions as well; ``leak``: it cannot be
    followed, ``why`` says so.
    """

    kind: Literal["absorbed", "call", "function", "lambda", "leak", "plain", "thread"]
    module: Module
    node: ast.AST
    why: str = ""

    @classmethod
    def leak(cls, module: Module, node: ast.AST, to: ast.AST | None = None) -> End:
        """Return the end at ``to``, or at ``node`` itself, which may call what is followed."""
        return cls("leak", module, node, f"`{module.excerpt(to or node)}` may call it")


class Leak(NamedTuple):
    """A place at which what is followed cannot be followed further, and why: an ``End``."""

    place: Place
    why: str


Found = Iterator[Spot | Slot | End | Leak]


def key_of(item: Spot | Slot) -> tuple[str, int, int, int] | Slot:
    """Return the key of a slot, or of an expression: it holds no tree."""
    if isinstance(item, Slot):
        return item
    span = item.module.span(item.node)
    return item.module.path, span.start, span.end, item.depth


class Slots:
    """Finds the slots of expressions; ``words`` knows the places of names."""

    def __init__(self, evaluator: ProgramEvaluator, words: Words) -> None:
        self.evaluator = evaluator
        self.words = words

    def mentions(self, name: str) -> Iterator[tuple[Module, ast.AST]]:
        """Yield what reads a name, or may, in all files."""
        return self.mentions_in(name, self.words.files_with(name))

    def mentions_in(self, name: str, paths: Iterable[str]) -> Iterator[tuple[Module, ast.AST]]:
        """Yield the same in the files at ``paths``."""
        for module in self.evaluator.names.facts.mentioning(name, paths):
            for node in module.mentions(name):
                yield module, node

    # ---------------------------------------------------------------------------------- keys
    def _key_in(self, module: Module, key: ast.expr | None) -> Key | None:
        """Return what ``key`` is: a constant, or a function that it names; None for others."""
        match key:
            case ast.Constant(value=str() | int() as value):
                return value
            case ast.Name() | ast.Attribute() if self.evaluator.names.qualified_name(module, key):
                # A name that may be one of several functions is no key.
                match tuple(self.evaluator.values(module, key)):
                    case (FunctionOf(module=home, node=function),):
                        return home.path, home.span(function).start
        return None

    def depth_by(self, module: Module, key: ast.expr | None, depth: int) -> int:
        """Return the depth of the container that has something at ``depth`` by ``key``."""
        result = self.depth_read(module, key, depth)
        is_position = isinstance(result, Depth) and isinstance(result.key, int)
        return depth + 1 if is_position and not depth else result

    def depth_read(self, module: Module, key: ast.expr | None, depth: int) -> int:
        """Return the depth of the container in which ``key`` reads what is at ``depth``."""
        named = None if depth else self._key_in(module, key)
        return depth + 1 if named is None else Depth(1, named)

    def has_another(self, module: Module, key: ast.expr | None, depth: int) -> bool:
        """Whether what is at ``depth`` in a container is there by another key than ``key``."""
        return _are_apart(depth, self.depth_read(module, key, 0))

    def takes_another(self, module: Module, call: ast.Call, depth: int) -> bool:
        """Whether a method such as `get` takes out what is there by another key."""
        return self.puts_another(module, _first_argument(call), depth)

    def puts_another(self, module: Module, key: ast.expr | None, depth: int) -> bool:
        """Whether what is put there by ``key`` is never what is at ``depth``."""
        return _are_apart(depth, self.depth_by(module, key, 0))

    def depth_taken(self, module: Module, call: ast.Call, depth: int) -> int:
        """Return the depth of the container out of which a method takes what is at ``depth``."""
        return self.depth_by(module, _first_argument(call), depth)

    def decorated_by(
        self, module: Module, function: Function
    ) -> Iterator[tuple[Module, Function, bool]]:
        """Yield what a function decorates, and whether a call of it does."""
        for home, decorated, is_called in decorations(self.evaluator, module.full_name(function)):
            if decorated is not None:
                yield home, decorated, is_called

    def variable(self, module: Module, node: ast.Name, depth: int) -> Slot | None:
        """Return the variable that ``node`` reads or writes; None for a name without a binding."""
        scopes = module.scopes
        scope = scopes.owner(node.id, scopes.scope_of(node))
        if scope is not None:
            return self._slot_in(module, scope.node, node.id, depth)
        # A star import may give it.
        qualified = (
            self.evaluator.names.qualified_name(module, node) if scopes.import_stars else None
        )
        return None if qualified is None else self.of_file(qualified, depth)

    def of_file(self, qualified: str, depth: int) -> Slot | None:
        """Return the variable of a file of the program; None if ``qualified`` names none."""
        located = self.evaluator.names.locate(qualified)
        if located is None or len(located.rest) != 1:
            return None
        return Slot("variable", located.path, -1, located.rest[0], depth)

    def reads_of_variable(self, module: Module, slot: Slot) -> Iterator[Spot]:
        """Yield what reads a variable of a file, in all files."""
        for node in module.mentions(slot.name):
            if isinstance(node, ast.Name) and self.variable(module, node, slot.depth) == slot:
                yield Spot(module, node, slot.depth)
        if slot.start < 0:
            yield from self._imported_reads(module, slot)

    def _imported_reads(self, module: Module, slot: Slot) -> Iterator[Spot]:
        """Yield what reads a name of a file in others, under whatever name."""
        qualified = f"{module.name}.{slot.name}"
        words = Queue[str]([slot.name])
        for word in words:
            for other, node in self.mentions(word):
                match node:
                    case ast.alias():
                        imported = imported_by(self.evaluator, other, node)
                        is_same = imported is not None and imported.qualified == qualified
                        words += [imported.name] if imported is not None and is_same else []
                    case ast.Name() | ast.Attribute() if other is not module:
                        if self.evaluator.names.qualified_name(other, node) == qualified:
                            yield Spot(other, node, slot.depth)

    def injected_parameters(
        self, home: Module, function: Function, depth: int
    ) -> Iterator[Slot | None]:
        """Yield the parameters that get what a dependency returns, by aliases of types, too.

        None for every other use of its name.
        """
        files = set(self.words.files_with(function.name))
        words = (name.rpartition(".")[2] for name in _DEPENDING)
        if all(files.isdisjoint(self.words.files_with(word)) for word in words):
            yield None
            return
        injections = self.evaluator.injections
        variable = Slot("variable", home.path, -1, function.name, depth)
        waiting = Queue([(home, variable)], lambda pair: pair[1])
        for owner, named in waiting:
            for module, node, _ in self.reads_of_variable(owner, named):
                above = next(filter(_may_declare, module.ancestors(node)), None)
                alias = variable_of(above)
                if (
                    above is not None
                    and alias is not None
                    and any(injections.providers_below(module, above))
                ):
                    variable = Slot("variable", module.path, -1, alias.id, depth)
                    waiting += [(module, variable)]
                    continue
                getting = isinstance(above, Function) and [
                    self.parameter(module, above, item.arg, depth)
                    for item, default in parameters_of(above.args)
                    for pair in injections.of_parameter(module, item, default)
                    if self._is_function(*pair, home, function)
                ]
                yield from getting or (None,)

    def _is_function(
        self, module: Module, node: ast.expr, home: Module, function: Function
    ) -> bool:
        return any(
            isinstance(value, FunctionOf) and same_node(value.module, value.node, home, function)
            for value in self.evaluator.values(module, node)
        )

    def fixture_receivers(
        self, home: Module, fixture: Function, name: str, depth: int
    ) -> Iterator[Spot | Slot | None]:
        """Yield the parameters that get what a fixture gives, and the calls that ask for it.

        ``name`` is its name for tests. None for what may ask for it.
        """
        for module, asking in self.mentions(ASKING):
            call = module.parent(asking)
            if isinstance(call, ast.Call) and is_asking(call):
                fixtures = fixtures_asked_for(self.evaluator, module, call)
                own = [
                    item
                    for item in fixtures or ()
                    if same_node(item.module, item.node, home, fixture)
                ]
                yield from (Spot(module, call, depth) for _ in own)
                yield from [None] if fixtures is None else ()
        for module in self.evaluator.modules_at(self.words.files_with(name)):
            for node in module.functions:
                takes = any(argument.arg == name for argument, _ in parameters_of(node.args))
                if not takes or not takes_fixture(module, node, name, self.evaluator.names):
                    continue
                nearest = fixture_for(self.evaluator, module, node, name)
                if nearest is None:
                    yield None
                elif same_node(nearest.module, nearest.node, home, fixture):
                    yield self.parameter(module, node, name, depth)

    def parameter(self, module: Module, function: Function, name: str, depth: int) -> Slot:
        """Return the variable that a parameter is."""
        return self._slot_in(module, function, name, depth)

    def _slot_in(self, module: Module, scope: ast.AST, name: str, depth: int) -> Slot:
        if isinstance(scope, ast.ClassDef):
            return self.field(module.full_name(scope), name, depth)
        start = -1 if isinstance(scope, ast.Module) else module.span(scope).start
        return Slot("variable", module.path, start, name, depth)

    def field(self, owner: str, name: str, depth: int) -> Slot:
        """Return the attribute ``name`` of a class, the same for all that share it."""
        for facts in reversed(self.evaluator.classes.line(owner)):
            if name in facts.attributes:
                return Slot("field", facts.qualified, -1, name, depth)
        return Slot("field", owner, -1, name, depth)

    def result(self, module: Module, function: ast.AST, depth: int) -> Slot:
        """Return what a function returns."""
        name = function.name if isinstance(function, Function) else "<lambda>"
        return Slot("result", module.path, module.span(function).start, name, depth)

    def of_attribute(self, module: Module, node: ast.Attribute, depth: int) -> Found:
        """Yield the slots that ``node`` reads or writes."""
        if isinstance(node.value, ast.Attribute) and node.value.attr == STATE:
            yield Slot("field", STATE, -1, node.attr, depth)
            return
        if node.attr == OVERRIDES:
            yield Slot("overrides", OVERRIDES, -1, OVERRIDES, depth)
            return
        for owner in self.evaluator.values(module, node.value):
            match owner:
                case InstanceOf() | ClassOf() if self.is_own(owner.qualified):
                    yield self.field(owner.qualified, node.attr, depth)
                case ModuleOf():
                    yield Slot("variable", owner.path, -1, node.attr, depth)
                case Unknown():
                    yield End("leak", module, node, owner.why)
                case _:
                    why = f"awaken does not follow the content of `{module.excerpt(node)}`"
                    yield End("leak", module, node, why)

    def iterable(self, module: Module, node: ast.expr, depth: int) -> Iterator[Spot]:
        """Yield what is iterated over for items, ``depth`` containers around the functions.

        Of a dictionary these are the keys.
        """
        if depth != KEYS + 1:
            yield Spot(module, node, depth)
        if int(depth) == 1 and not TABLES.isdisjoint(
            classes_in(self.evaluator.values(module, node))
        ):
            yield Spot(module, node, KEYS + 1)

    def is_table(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression gives a dictionary."""
        return are_instances(self.evaluator.values(module, node), TABLES.__contains__)

    def gives_keys(self, spot: Spot) -> bool:
        """Whether iterating over an expression gives the keys of a dictionary with functions."""
        return 0 < spot.depth < KEYS and self.is_table(spot.module, spot.node)

    def is_own(self, qualified: str) -> bool:
        """Whether the program defines a class."""
        return self.evaluator.classes.facts(qualified) is not None

    def owners(self, module: Module, owner: ast.expr, name: str) -> Owners:
        """Return whose attribute ``name`` of ``owner`` may be."""
        if isinstance(owner, ast.Attribute) and owner.attr == STATE:
            return Owners((STATE,))
        values = self.evaluator.values(module, owner)
        classes = (
            self.field(value.qualified, name, 0).owner
            for value in values
            if isinstance(value, InstanceOf | ClassOf) and self.is_own(value.qualified)
        )
        is_complete = not any(
            isinstance(value, Unknown) and not is_decoded(self.evaluator, value) for value in values
        )
        return Owners(tuple(dict.fromkeys(classes)), is_complete)

    def fields_given(self, module: Module, call: ast.Call) -> Iterator[tuple[ast.expr, str, str]]:
        """Yield what ``call`` gives to the fields of a class without ``__init__``, by class, name.

        Nothing if it makes nothing of that kind.
        """
        for owner in self.evaluator.values(module, call.func):
            if not isinstance(owner, ClassOf) or not self.is_own(owner.qualified):
                continue
            names = self.own_fields(owner.qualified)
            for name, value in () if names is None else values_by_name(call, names):
                yield value, owner.qualified, name

    def own_fields(self, qualified: str) -> list[str] | None:
        """Return the fields that making an instance takes, in order; None for other classes."""
        ancestors = self.evaluator.classes.ancestors(qualified)
        inside = () if ancestors is None else ancestors.inside
        if ancestors is None or any("__init__" in candidate.members for candidate in inside):
            return None
        makes = bool(_HAVE_FIELDS & set(ancestors.outside)) or any(
            not _MAKES_FIELDS.isdisjoint(candidate.decorators) for candidate in inside
        )
        classes = self.evaluator.classes
        is_whole = makes and len([*classes.bodies(qualified)]) == len(inside)
        return [*classes.fields(qualified)] if is_whole else None


def iterated_depth(depth: int) -> int:
    """Return the depth of what iterating over a container gives: the keys of a dictionary."""
    return 0 if depth == KEYS + 1 else depth - 1


def _may_declare(node: ast.AST) -> bool:
    """Whether a statement has parameters, or names a type."""
    return isinstance(node, Function | ast.Assign | ast.AnnAssign)
