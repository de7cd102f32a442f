"""The generic types of ``typing``, ``collections.abc`` and ``contextlib`` as values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from awaken.knowledge.declarations import public_name
from awaken.project.values.domain import (
    How,
    InstanceOf,
    NoneValue,
    Producer,
    TupleOf,
    Value,
    Values,
    union,
)
from awaken.project.values.library_types.solving import classes_of

TYPING = {"typing", "typing_extensions", "collections.abc", "contextlib", "dataclasses"}
_SAME = {"ClassVar", "Final", "InitVar", "NotRequired", "ReadOnly", "Required", "Annotated"}
# How a generic gives what is inside it, and which of its arguments that is.
_WRAPPERS: dict[str, tuple[How, int]] = {
    **dict.fromkeys(["AsyncGenerator", "AsyncIterable", "AsyncIterator"], ("generator", 0)),
    **dict.fromkeys(["Generator", "Iterable", "Iterator"], ("generator", 0)),
    **dict.fromkeys(["AbstractAsyncContextManager", "AsyncContextManager"], ("manager", 0)),
    **dict.fromkeys(["AbstractContextManager", "ContextManager"], ("manager", 0)),
    # The result comes last: ``Coroutine[Y, S, R]``, ``Callable[[A], R]``.
    "Awaitable": ("awaitable", -1),
    "Coroutine": ("coroutine", -1),
    "Callable": ("callable", -1),
}
_LITERALS: dict[type, str] = {str: "str", int: "int", bool: "bool", bytes: "bytes"}
_FORMS = {*_SAME, "Any", "Generic", "Literal", "Optional", "Protocol", "Type", "Union"}
_TRUTHS = {"TypeGuard", "TypeIs"}


def how_of(name: str) -> How | None:
    """Return in which way an instance of a type of ``typing`` is used; None for all others."""
    home, _, simple = name.rpartition(".")
    return _WRAPPERS[simple][0] if home in TYPING and simple in _WRAPPERS else None


def is_class(name: str) -> bool:
    """Whether a name of these modules is a class whose instance it is to be annotated with it."""
    simple = name.rpartition(".")[2]
    return simple[:1].isupper() and how_of(name) is None and simple not in _FORMS


def generic(name: str, arguments: Sequence[ast.expr], read: Callable[[ast.expr], Values]) -> Values:
    """Return the type ``name[arguments]`` of a library; ``read`` reads a type."""
    home, _, simple = name.rpartition(".")
    if name in {"builtins.type", "typing.Type"}:
        return classes_of(read(arguments[0]))
    if name in {"builtins.tuple", "typing.Tuple"}:
        return (_tuple(arguments, read),)
    if home not in TYPING:
        return (InstanceOf(public_name(name), parameters=tuple(map(read, arguments))),)
    match simple:
        case "Union":
            return union(*map(read, arguments))
        case "Optional":
            return union(read(arguments[0]), (NoneValue(),))
        case "Literal" | "LiteralString":
            return union(*map(_literal, arguments))
        case _ if simple in _SAME:
            return read(arguments[0])
        case _ if simple in _TRUTHS:
            return (InstanceOf("builtins.bool"),)
        case _ if simple in _WRAPPERS:
            how, position = _WRAPPERS[simple]
            return (Producer(how, read(arguments[position])),)
    return (InstanceOf(public_name(name), parameters=tuple(map(read, arguments))),)


def _tuple(arguments: Sequence[ast.expr], read: Callable[[ast.expr], Values]) -> Value:
    match arguments:
        case [first, ast.Constant(value=value)] if value is ...:
            return InstanceOf("builtins.tuple", parameters=(read(first),))
        case [ast.Tuple(elts=[])]:
            return TupleOf(())
        case _ if any(isinstance(argument, ast.Starred) for argument in arguments):
            return InstanceOf("builtins.tuple")
    return TupleOf(tuple(map(read, arguments)))


def _literal(node: ast.expr) -> Values:
    if isinstance(node, ast.Constant):
        if node.value is None:
            return (NoneValue(),)
        name = _LITERALS.get(type(node.value))
        return (InstanceOf(f"builtins.{name}"),) if name is not None else ()
    if isinstance(node, ast.UnaryOp):
        return (InstanceOf("builtins.int"),)
    return ()
