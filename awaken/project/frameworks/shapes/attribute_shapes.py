"""Shapes: the attributes that a schema reads of an object, and the places that give it one."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.values.domain import Environment, Unknown

How = Literal["response", "schema"]


class Shape(Protocol):
    """Something that reads attributes of the objects that it is given; equal ones read the same."""

    @property
    def name(self) -> str:
        """The class, or the place, that declares the fields."""

    def fields(self) -> Sequence[Field]:
        """Return the fields that are read, by the order in which they are written."""

    def __hash__(self) -> int: ...


class Field(Struct, frozen=True):
    """Attributes that are read of an object, one after the other.

    ``name`` is what it is called in a mapping that is given in place of an object. ``shapes`` read
    what the attributes give, or each item of it. An empty ``path`` reads no attribute: the shapes
    read the object itself. ``unseen`` says why more may be read of what the attributes give.
    """

    name: str
    path: tuple[str, ...]
    place: Place
    shapes: tuple[Shape, ...] = ()
    unseen: Unknown | None = None


class Applied(Struct, frozen=True):
    """Where something begins to read: a call, or an expression that an endpoint returns.

    The result of an endpoint is turned into its ``model``, an expression of ``home``.
    """

    module: Module
    node: ast.expr
    home: Module | None = None
    model: ast.expr | None = None


class Reading(Struct, frozen=True):
    """An expression that gives an object, or a collection of them, and what reads it.

    ``known`` is what the parameters around it are taken to be, such as ``self``; ``by`` is where
    what reads is called.
    """

    module: Module
    node: ast.expr
    shapes: tuple[Shape, ...]
    how: How
    known: Environment = ()
    by: Applied | None = None


class Unread(Struct, frozen=True):
    """An expression that gives an object whose read attributes are unknown.

    ``fields`` are all attributes that may be read, None where they are unknown as well.
    """

    module: Module
    node: ast.expr
    why: Unknown
    how: How
    known: Environment = ()
    fields: frozenset[str] | None = None
