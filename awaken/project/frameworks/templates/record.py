"""The record of one template, made while it is read.

The values of an expression of a template, as far as they lead to its context.

Only objects of the program have values here; numbers and texts have none.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY
from awaken.project.source.worklist import LONGEST_PATH, MOST_NODES
from awaken.project.values.domain import DEEPEST

# Four relationships, each with its items, and what is read of the last: longer ways than
# ``tracing`` follows. Recursive templates would make them without end.
_LONGEST = 2 * LONGEST_PATH + 2
EVERYTHING = "*"
"""The root that stands for every name that the template is given."""


class TooLargeError(Exception):
    """A template takes too much to read."""


class Way(Struct, frozen=True):
    """The values of the attributes ``path`` of a name in a template's context.

    Steps other than attributes are those of ``sqlalchemy.reads.domain``.
    """

    root: str
    path: tuple[str, ...] = ()


class Holder(Struct, frozen=True):
    """A list, a dictionary or a tuple that the template itself makes, and what it holds."""

    inner: Value


class MacroOf(Struct, frozen=True):
    """A macro, by its number in the reading."""

    number: int


class LoopOf(Struct, frozen=True):
    """``loop`` inside of a loop, by its number in the reading."""

    number: int


class ImportOf(Struct, frozen=True):
    """The names of an imported template, by its number in the reading."""

    number: int


class NamespaceOf(Struct, frozen=True):
    """A ``namespace()``, by the place of its call."""

    template: str
    line: int


class Unseen(Struct, frozen=True):
    """A macro that is not read; ``why`` is a clause."""

    why: str


Atom = Way | Holder | MacroOf | LoopOf | ImportOf | NamespaceOf | Unseen
Value = frozenset[Atom]
NOTHING: Value = frozenset()


class Scope(Struct):
    """The names of a template at one place; of what no scope has, the context may have a value."""

    outer: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict)

    def get(self, name: str) -> Value | None:
        """Return what a name is here; None if only the context can tell."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def visible(self) -> frozenset[tuple[str, Value]]:
        """Return all names here, each with its value, without the loops, which are made each time.

        Two that are equal in this read the same.
        """
        return self._pairs_without(LoopOf)

    def context_names(self) -> frozenset[tuple[str, Value]]:
        """Return all names here that lead to what the template is given."""
        return self._pairs_without(LoopOf, MacroOf, ImportOf)

    def _pairs_without(self, *kinds: type[Atom]) -> frozenset[tuple[str, Value]]:
        result: dict[str, Value] = {}
        scope: Scope | None = self
        while scope is not None:
            result = {**scope.names, **result}
            scope = scope.outer
        return frozenset(
            (name, frozenset(candidate for candidate in value if not isinstance(candidate, kinds)))
            for name, value in result.items()
        )


def union_of(values: Iterable[Value]) -> Value:
    """Return all that one of ``values`` may be."""
    return NOTHING.union(*values)


def held_value(values: Iterable[Value]) -> Value:
    """Return a container of these, or nothing if there is nothing to hold.

    Raises TooLargeError for containers inside of each other without end.
    """
    inner = union_of(values)
    if _depth(inner) >= DEEPEST:
        raise TooLargeError
    return frozenset({Holder(inner)}) if inner else NOTHING


def _depth(value: Value) -> int:
    return max((1 + _depth(item.inner) for item in value if isinstance(item, Holder)), default=0)


class TemplateRead(Struct, frozen=True, order=True):
    """A line of a template that reads the last of ``path`` of what it is given as ``root``.

    ``why`` is a clause where that is ``ANY``: why it is not known which attributes are read.
    """

    template: str
    line: int
    root: str
    path: tuple[str, ...]
    why: str = ""


class Record(Struct):
    """The reads of one template, and of those that it includes.

    ``added`` is what the template puts into lists of its own by their names, ``spaces`` into
    namespaces; both count from the beginning when the template is read again.
    """

    reads: set[TemplateRead] = field(default_factory=set)
    added: dict[str, Value] = field(default_factory=dict)
    spaces: dict[tuple[object, str], Value] = field(default_factory=dict)
    template: str = ""
    line: int = 0
    steps: int = 0

    def step(self, line: int) -> None:
        """Count one node of a tree, in ``line``. Raises TooLargeError."""
        self.line = line
        self.steps += 1
        if self.steps > MOST_NODES:
            raise TooLargeError

    def read(self, way: Way, attribute: str) -> Value:
        """Note that an attribute is read here, and return what it gives."""
        self.note(way.root, (*way.path, attribute))
        return self.follow(way, attribute)

    def follow(self, way: Way, step: str) -> Value:
        """Return what a step that is no attribute leads to."""
        if len(way.path) < _LONGEST:
            return frozenset({Way(way.root, (*way.path, step))})
        self.any_of(way, "the way to it is too long, or leads back to itself")
        return NOTHING

    def any_of(self, way: Way, why: str) -> None:
        """Note that any attribute may be read of what a way leads to."""
        self.note(way.root, (*way.path, ANY), why)

    def note(self, root: str, path: tuple[str, ...], why: str = "") -> None:
        """Note a read in the present line."""
        self.reads.add(TemplateRead(self.template, self.line, root, path, why))

    def signature(self) -> object:
        """Return what decides whether reading the template again can give more."""
        return dict(self.added), dict(self.spaces)
