"""The record of one template, made while it is read."""

from __future__ import annotations

from msgspec import Struct, field

from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY
from awaken.project.frameworks.templates.template_values import NOTHING, TooLargeError, Value, Way
from awaken.project.source.worklist import LONGEST_PATH, MOST_NODES

# Four relationships, each with its items, and what is read of the last: longer ways than
# ``tracing`` follows. Recursive templates would make them without end.
_LONGEST = 2 * LONGEST_PATH + 2

EVERYTHING = "*"
"""The root that stands for every name that the template is given."""


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
