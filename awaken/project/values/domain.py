"""The value domain: the possible results of an expression."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place, Span
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function, position
from awaken.project.source.worklist import preorder

How = Literal["callable", "manager", "generator", "coroutine", "awaitable", "factory"]
SessionKind = Literal["session", "scoped", "async", "async-scoped"]


class Unknown(Struct, frozen=True):
    """An unknown value; ``why`` is one sentence, ``place`` where it ends."""

    why: str
    place: Place


class TooLarge(Unknown, frozen=True):
    """A value that would take too many steps; ``why`` names the limit."""


class Lacking(Unknown, frozen=True):
    """An attribute that objects of a standard class lack: reading it raises."""


class UnknownResult(Unknown, frozen=True):
    """The result of a library's function or class, which is ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session, or a registry that acts as one; ``place`` is its source.

    ``unless`` is empty if that is proven; else every visible call passes a session, and the clause
    says who may pass something else. ``custom_query`` is the program's own class of its queries,
    ``?`` if unknown, empty if they are plain.
    """

    kind: SessionKind
    custom_query: str = ""
    # A session that was seen at two places is one alternative.
    place: Place | None = field(default=None, compare=False)
    unless: str = ""


class Producer(Struct, frozen=True):
    """Something that gives ``inner`` when it is used in its one way.

    ``callable``: called; ``manager``: entered by ``with``; ``generator``: iterated;
    ``coroutine``: awaited; ``awaitable``: the same, and it may be a task or a future as well;
    ``factory``: a ``sessionmaker``: called, or ``begin()`` entered.
    """

    how: How
    inner: Values

    def is_used(self, how: How) -> bool:
        """Whether it is used in the way ``how``: a value that is awaited is awaited anyway."""
        return self.how == how or {self.how, how} == {"awaitable", "coroutine"}


class ClassOf(Struct, frozen=True):
    """A class itself."""

    qualified: str


class Origin(Struct, frozen=True):
    """A call that made or loaded an object, or began the statement that did.

    ``options`` are the places of the loader options that the statement is given, ``way`` the
    relationships that lead from what it loads to the object, each with its class, as
    ``app.models.User.posts``; empty if that is the object itself. ``kind`` is ``parameter`` where
    ``place`` is a parameter of which only its class is known, as of ``self``: the arguments of its
    callers are a separate question.
    """

    place: Place
    options: tuple[Place, ...] = ()
    way: tuple[str, ...] = ()
    kind: Literal["call", "parameter"] = "call"


class InstanceOf(Struct, frozen=True):
    """An instance of a class.

    ``model_base`` is what Flask-SQLAlchemy derives its models from, ``custom_query`` that it is
    given a class of the program's own for queries or sessions, as in ``Session``. ``made`` is the
    call that made it, for applications and routers alone: it identifies them. ``parameters`` are
    the arguments of its type parameters: of ``dict[str, User]`` the keys, then the values. Empty
    says nothing of them. ``named`` are the items of a dictionary by their keys; empty where they
    are not told apart. ``grows`` says that all this is what was seen when it was built, so that
    what is put into it later counts as well; what an annotation says holds for that, too.
    ``origins`` are all calls that it may come from, None if not all are known.
    """

    qualified: str
    model_base: str | None = None
    custom_query: str = ""
    made: Place | None = None
    parameters: tuple[Values, ...] = ()
    named: tuple[tuple[str, Values], ...] = ()
    grows: bool = False
    # Of one alternative, however many: ``union`` joins what differs in nothing else.
    origins: tuple[Origin, ...] | None = None

    def item(self, key: object) -> Values | None:
        """Return what a dictionary has at ``key``; None where its items are not told apart."""
        return next((values for name, values in self.named if name == key), None)


NEVER = InstanceOf("typing.Never")
"""What an expression gives that raises, and so does its use."""


def without_never(*alternatives: Values) -> Values:
    """Return all values of ``alternatives`` without those that raise, unless all do."""
    values = union(*alternatives)
    rest = (value for value in values if value != NEVER and not isinstance(value, Lacking))
    return tuple(rest) or values


UNKNOWN_MODULE = InstanceOf("types.ModuleType")
"""A module of which only that is known: its names may be anything of the program."""


class TypeVariable(Struct, frozen=True):
    """The value of a type variable that is not solved yet.

    ``bound`` is what it may be at most, empty if anything. ``as_class`` means the class itself, as
    in ``type[T]``. No answer holds one: they are put in place of each other where a call or an
    attribute is looked up.
    """

    name: str
    bound: Values = ()
    as_class: bool = False


class TupleOf(Struct, frozen=True):
    """A tuple whose places are known, one by one; of any length it is an instance of ``tuple``."""

    items: tuple[Values, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Argument:
    """The argument of a call for one parameter, still to be evaluated in its own file.

    To its first parameter a method is given ``receiver``, which is known already; then ``value``
    is that parameter.
    Equal if it is the same place: the file may have been parsed twice.
    """

    parameter: ast.arg
    module: Module
    value: ast.expr | ast.arg
    known: Environment
    receiver: Value | None = None
    # It is part of the questions that are asked of a call, each of which is looked up many times.
    _hash: int = field(default=0, init=False, repr=False)

    @property
    def depth(self) -> int:
        """How many calls inside of each other lead to it."""
        return 1 + max((argument.depth for argument in self.known), default=0)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Argument)
            and same_node(self.module, self.value, other.module, other.value)
            # The parameter may be of a tree parsed again, too.
            and position(self.parameter) == position(other.parameter)
            and self.known == other.known
            and self.receiver == other.receiver
        )

    def __hash__(self) -> int:
        if not self._hash:
            place = self.module.path, *position(self.parameter), *position(self.value)
            # Many objects are the receiver of one method, and a recursion passes others each time.
            result = hash((place, self.receiver, self.known))
            object.__setattr__(self, "_hash", result)
        return self._hash


@dataclass(frozen=True, slots=True, eq=False)
class FunctionOf:
    """A function of the project, what is known of its parameters, and its first argument.

    Equal if it is the same place: the file may have been parsed twice.
    """

    module: Module
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    known: Environment = ()
    bound: Value | None = None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, FunctionOf)
            and same_node(self.module, self.node, other.module, other.node)
            and self.known == other.known
            and self.bound == other.bound
        )

    def __hash__(self) -> int:
        return hash((self.module.path, position(self.node)))


class ModuleOf(Struct, frozen=True):
    """A module of the project."""

    path: str


class External(Struct, frozen=True):
    """A name of a library that is neither a known class nor a module of the project.

    Of a method ``receiver`` is the object that it was read from, if that says more than the name.
    """

    qualified: str
    receiver: InstanceOf | ClassOf | Session | None = None


class DeclarativeBase(Struct, frozen=True):
    """A class whose subclasses are mapped; ``parent`` is the class it adds to them.

    ``complete`` is False where more is added than can be seen, ``automap`` says that
    ``automap_base()`` made it, whose ``classes`` are those of the tables of a database.
    """

    parent: str | None = None
    complete: bool = True
    automap: bool = False


class NoneValue(Struct, frozen=True):
    """None."""


class NotRelevant(Struct, frozen=True):
    """Proven to be no session.

    ``mock`` if it may replace any object, ``plain`` if it has no method of a session's name.
    """

    what: str
    mock: bool = False
    plain: bool = False


Value = (
    Unknown
    | Session
    | Producer
    | ClassOf
    | InstanceOf
    | TupleOf
    | FunctionOf
    | ModuleOf
    | External
    | DeclarativeBase
    | NoneValue
    | NotRelevant
    | TypeVariable
)
Values = tuple[Value, ...]
"""The alternatives that an expression may be; never empty."""

Environment = tuple[Argument, ...]

_HOLDING = frozenset({InstanceOf, Producer, TupleOf})
"""What ``inside`` gives something of."""

MOST_ALTERNATIVES = (
    8  # no rule rewrites for more at once; half loses no finding (benchmarks/limits.md)
)
DEEPEST = 4  # containers inside of each other; what is further in is hardly ever taken out
MOST_CALLS = 3  # inside of each other, with their arguments: a recursion passes others each time
_LARGEST = 200  # values inside of each other: tuples of pairs of tuples double each time
NOWHERE = Place("", Span(0, 0))
"""The place of what is unknown wherever it is asked."""


def as_instance(value: TupleOf) -> InstanceOf:
    """Return a tuple of known places as one whose items may be any of them."""
    return InstanceOf("builtins.tuple", parameters=(union(*value.items),) if value.items else ())


def without_none(values: Values) -> Values:
    """Return ``values`` other than None."""
    return tuple(value for value in values if value != NoneValue())


def union(*groups: Values) -> Values:
    """Return the alternatives of all ``groups`` together, without repetition.

    Equal values with different origins are one alternative with all origins.
    """
    groups = tuple(filter(None, groups)) or ((),)
    if len(groups) == 1 and len(groups[0]) <= 1:
        return groups[0]  # most are
    # In the order of appearance: a set would make answers depend on hashes.
    result: dict[Value, Value] = {}
    for group in groups:
        for value in group:
            key = without_origins(value) if type(value) in _HOLDING else value
            known = result.get(key)
            if known is None:
                result[key] = value
            elif known is not value:
                result[key] = _with_origins_of(known, value)
    return tuple(result.values())


def without_origins(value: Value) -> Value:
    """Return ``value`` as it is apart from where it, and what is inside of it, comes from."""
    if type(value) not in _HOLDING:
        return value
    result = with_parts(value, lambda part: tuple(map(without_origins, part)))
    if isinstance(result, InstanceOf) and result.origins is not None:
        return replace(result, origins=None)
    return result


def _with_origins_of(one: Value, other: Value) -> Value:
    """Return a value with the origins of an equal one as well."""
    match one, other:
        case InstanceOf(), InstanceOf():
            pairs = zip(one.named, other.named, strict=True)
            return replace(
                one,
                parameters=tuple(map(union, one.parameters, other.parameters)),
                named=tuple((name, union(values, more)) for (name, values), (_, more) in pairs),
                origins=_joined_origins(one.origins, other.origins),
            )
        case Producer(), Producer():
            return replace(one, inner=union(one.inner, other.inner))
        case TupleOf(), TupleOf():
            return TupleOf(tuple(map(union, one.items, other.items)))
    return one


def _joined_origins(
    one: tuple[Origin, ...] | None, other: tuple[Origin, ...] | None
) -> tuple[Origin, ...] | None:
    if one is None or other is None or one == other:
        return one if one == other else None
    both = {*one, *other}
    # In the order of their places: in which they are found depends on where a circle is entered.
    return tuple(sorted(both, key=_place_of)) if len(both) <= MOST_ALTERNATIVES else None


def _place_of(origin: Origin) -> tuple[Place, str, tuple[str, ...], tuple[Place, ...]]:
    return origin.place, origin.kind, origin.way, origin.options


def holds_tree(values: Values) -> bool:
    """Whether ``values`` lead to the tree of a file."""
    for value in values:
        kind = type(value)
        # Each answer is checked for this: most hold nothing.
        if kind is FunctionOf or (kind in _HOLDING and holds_tree(values_inside(value))):
            return True
    return False


def placed_values(values: Values, module: Module, node: ast.AST) -> Values:
    """Return ``values`` with the place of ``node`` where one is unknown wherever it is asked."""
    for value in values:
        if isinstance(value, Unknown) and value.place == NOWHERE:
            break
    else:
        return values  # most are
    place = module.place(node)
    return tuple(
        replace(item, place=place) if isinstance(item, Unknown) and item.place == NOWHERE else item
        for item in values
    )


def bounded_values(values: Values) -> Values:
    """Return ``values`` as far as they are neither nested too deeply nor too many.

    A type that is defined by itself, and a tuple of itself, would grow without end.
    """
    # Most have no parts, and a part may hold nothing.
    if not any(map(_parts_of, values)) or not any(map(values_inside, values)):
        return values
    # Less of what is inside is known, rather than nothing at all.
    levels = (_down_to(values, depth) for depth in range(DEEPEST, 0, -1))
    too_many = (Unknown("it holds too many things", NOWHERE),)
    return next((level for level in levels if not _is_large(level)), too_many)


def _is_large(values: Values) -> bool:
    waiting = [*values]
    for _ in range(_LARGEST):
        if not waiting:
            return False
        waiting += values_inside(waiting.pop())
    return bool(waiting)


def _down_to(values: Values, depth: int) -> Values:
    """Return ``values`` with what is nested deeper than ``depth`` made unknown."""
    if not any(map(values_inside, values)):
        return values
    if not depth:
        nested = Unknown("it is nested too deeply to tell", NOWHERE)
        return tuple(dict.fromkeys(nested if values_inside(value) else value for value in values))
    return tuple(with_parts(value, lambda part: _down_to(part, depth - 1)) for value in values)


def _parts_of(value: Value) -> tuple[Values, ...]:
    kind = type(value)
    if kind is InstanceOf:
        return value.parameters  # type: ignore[union-attr]
    if kind is Producer:
        return (value.inner,)  # type: ignore[union-attr]
    return value.items if kind is TupleOf else ()  # type: ignore[union-attr]


def classes_in(values: Iterable[Value]) -> list[str]:
    """Return the class of each instance among ``values``."""
    return [value.qualified for value in values if isinstance(value, InstanceOf)]


def functions_in(values: Iterable[Value]) -> list[tuple[Module, Function]]:
    """Return the functions of the program among ``values``, without lambdas."""
    functions = (value for value in values if isinstance(value, FunctionOf))
    return [(item.module, item.node) for item in functions if isinstance(item.node, Function)]


def are_instances(values: Values, counts: Callable[[str], bool]) -> bool:
    """Whether there are ``values``, and all of them are instances of classes that count."""
    classes = classes_in(values)
    return bool(values) and len(classes) == len(values) and all(map(counts, classes))


def origins_of(values: Iterable[Value]) -> Iterator[Origin]:
    """Yield where the instances among ``values`` come from, as far as that is known."""
    for value in values:
        yield from (value.origins or ()) if isinstance(value, InstanceOf) else ()


def values_inside(value: Value) -> Values:
    """Return the values that a value holds or gives."""
    parts = _parts_of(value)
    return tuple(chain.from_iterable(parts)) if parts else ()


def instances_in(values: Values) -> Iterator[InstanceOf]:
    """Yield the instances among ``values``, and those that these hold or give."""
    inside = preorder(values, values_inside)
    return (value for value in inside if isinstance(value, InstanceOf))


def with_parts(value: Value, change: Callable[[Values], Values]) -> Value:
    """Return ``value`` with what ``change`` gives for each of its places."""
    before = _parts_of(value)
    if not before:
        return value  # most are
    parts = tuple(map(change, before))
    if all(map(is_, before, parts)):
        return value
    match value:
        case Producer():
            return Producer(value.how, parts[0])
        case InstanceOf():
            named = tuple((key, change(items)) for key, items in value.named)
            return replace(value, parameters=parts, named=named)
    return TupleOf(parts)
