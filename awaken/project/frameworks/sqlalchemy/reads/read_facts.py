"""Reads of relationships, and the loads of the objects there."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.values.domain import Environment, Unknown

How = Literal[
    "attribute",  # `user.posts`
    "assigned",  # `user.posts = []`: a collection is loaded to be replaced
    "getattr",  # `getattr(user, "posts", None)`
    "hasattr",  # raises another exception than `hasattr` catches
    "dynamic",  # `getattr(user, name)`: any relationship whose name fits
    "awaitable",  # `user.awaitable_attrs.posts`: loads, unless the relationship raises
    "run_sync",  # in what is given to `run_sync`: loads, unless the relationship raises
    "generated",  # the `__repr__` and `__eq__` of a dataclass mapping
    "proxy",  # an association proxy
    "response",  # a field of a response model
    "schema",  # a field of a serialiser
    "template",
]
LoadKind = Literal["query", "select", "get", "merge", "new", "reload", "other"]

ITEM = "[]"
"""The step of a path to each item of a container; ``[2]`` is one to the third."""

BY_KEY = "[?]"
"""The step to what a computed key gives: an item of a container, any attribute of an object."""

CALL = "()"
"""The step to what a call gives, without arguments that are known."""

ANY = "*"
"""The attribute that stands for all of them, and for all that is read of what they give."""


class Sight(Struct, frozen=True):
    """A place that reads attributes of what an expression gives, one after the other.

    ``node`` gives the object, or says why no visible expression does. Where it, or an attribute on
    the way, gives a collection, that is read of each item if ``of_items``. ``place`` is the
    reader's place, which need not be Python: a field of a response model, a line of a template.
    ``path`` may hold steps that are no attributes, such as ``ITEM``; of those before ``begin`` it
    is known that other places read them. Its last may be ``ANY``; ``unseen`` says why then.
    ``known`` is what the parameters around the expression are taken to be, such as ``self``, and
    ``reader`` the call that reads, if a call does.
    """

    module: Module
    node: ast.expr | Unknown
    path: tuple[str, ...]
    place: Place
    how: How
    of_items: bool = False
    begin: int = 0
    unseen: Unknown | None = None
    known: Environment = ()
    reader: Place | None = None


class Load(Struct, frozen=True):
    """A call that loads or makes objects; of a statement that is the call that begins it.

    ``options`` are the places of the loader options that are given there, ``sets`` the attributes
    that a new object is given by name: reading one of these loads nothing.
    """

    kind: LoadKind
    place: Place
    options: tuple[Place, ...] = ()
    sets: tuple[str, ...] = ()


class Trace(Struct, frozen=True):
    """One way from a load to a read.

    ``path`` are the relationships on it, each with the class that it is read from, as
    ``app.models.User.posts``; the last is the one that is read.
    """

    load: Load
    path: tuple[str, ...]


class Read(Struct, frozen=True):
    """A place that reads a relationship.

    ``owner`` is the class that declares ``attribute``, empty where the class of the object is not
    known. Where it is not known which attributes are read, ``attribute`` is ``ANY`` and ``owner``
    the class of the object. ``traces`` are the visible loads that the object may come from;
    ``unknown`` says why they may not be all, and where that ends. ``given`` is the expression that
    gives the object, where a column is read of it. ``served`` are the expressions that give what a
    response, a serializer or a template reads.
    """

    place: Place
    owner: str
    attribute: str
    how: How
    traces: tuple[Trace, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    given: Place | None = None
    served: tuple[Place, ...] = ()

    @property
    def is_traced(self) -> bool:
        """Whether all loads that the object may come from are known."""
        return bool(self.owner) and not self.unknown


class Wanted(Struct, frozen=True):
    """Which reads are asked for: the fewer, the less has to be followed.

    Those of ``attributes``, with ``ANY`` among them if reads of any attribute count. ``without``
    are kinds of places that do not, and ``at`` tells of a place by itself whether it does.
    """

    attributes: frozenset[str]
    without: frozenset[How] = frozenset()
    at: Callable[[How, Place], bool] | None = None

    def holds(self, how: How, place: Place) -> bool:
        """Whether a place of a kind is asked for."""
        return how not in self.without and (self.at is None or self.at(how, place))


ALL = Wanted(frozenset())
"""For places: all of them are asked for."""


def call_or_attribute_at(module: Module, place: Place) -> ast.Call | ast.Attribute | None:
    """Return the call, or else the attribute that is read, that takes exactly a place."""
    call = next(iter(module.calls_at(place.span)), None)
    return attribute_at(module, place) if call is None else call


def attribute_at(module: Module, place: Place) -> ast.Attribute | None:
    """Return the attribute that is read at exactly a place."""
    nodes = module.expressions_at({place.span})
    return next((node for node in nodes if isinstance(node, ast.Attribute)), None)
