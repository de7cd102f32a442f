"""The types in stubs, as values with type variables."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from awaken.contract import Place
from awaken.knowledge import Role, knowledge
from awaken.knowledge.declarations import (
    ALIASES,
    Declaration,
    declaration,
    declared_in,
    imported_module,
    public_name,
)
from awaken.project.source.trees import items_in_brackets, keyword_of, position
from awaken.project.values.domain import (
    NOWHERE,
    How,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    TupleOf,
    TypeVariable,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.library_types.solving import SELF, classes_of, solved_values

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
_ANYTHING = (Unknown("it is declared as `Any`", NOWHERE),)
_UNREAD = (Unknown("the type that a stub gives is not understood", NOWHERE),)
_VARIABLES = {"TypeVar", "ParamSpec", "TypeVarTuple"}
_SELF = {"typing.Self", "typing_extensions.Self", "_typeshed.Self"}
_ANY = {"typing.Any", "builtins.object", "_typeshed.Incomplete", "_typeshed.MaybeNone"}
_active: list[str] = []


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


def read(module: str, node: ast.expr) -> Values:
    """Return the type ``node`` in the stub of ``module``."""
    match node:
        case ast.Constant(value=None):
            return (NoneValue(),)
        case ast.Constant(value=str(text)):
            return read(module, ast.parse(text, mode="eval").body)
        case ast.BinOp(op=ast.BitOr()):
            return union(read(module, node.left), read(module, node.right))
        case ast.Name() | ast.Attribute():
            result = named_declaration(module, node)
            return _UNREAD if result is None else of_declaration(result)
        case ast.Subscript():
            return _generic(module, node)
    return _UNREAD


def named_declaration(module: str, node: ast.expr) -> Declaration | None:
    """Return what a name in the stub of ``module`` was declared as."""
    match node:
        case ast.Name():
            return declared_in(module, node.id)
        case ast.Attribute():
            home = _module(module, node.value)
            if home is not None:
                return declared_in(home, node.attr)
            owner = named_declaration(module, node.value)
            return None if owner is None else declaration(f"{owner.public_name}.{node.attr}")
    return None


def session_of_role(role: Role | None, place: Place | None = None) -> Session | Producer | None:
    """Return the session, or what makes sessions, that ``role`` names, seen at ``place``."""
    match role:
        case "session" | "scoped" | "async" | "async-scoped":
            return Session(role, place=place)
        case "factory":
            return Producer("factory", (Session("session"),))
        case "async-factory":
            return Producer("factory", (Session("async"),))
    return None


def of_class(name: str, place: Place | None = None) -> Values:
    """Return an instance of a library's class, of which nothing says what it holds."""
    mock = NotRelevant("a mock", mock=True) if name.startswith("unittest.mock.") else None
    return (session_of_role(knowledge().types.get(name), place) or mock or InstanceOf(name),)


def _module(module: str, node: ast.expr) -> str | None:
    match node:
        case ast.Name():
            return imported_module(module, node.id)
        case ast.Attribute():
            home = _module(module, node.value)
            if home is None:
                return None
            return imported_module(home, node.attr) or f"{home}.{node.attr}"
    return None


def of_declaration(found: Declaration) -> Values:
    """Return what a type is that is written with this name alone."""
    name = found.public_name
    if name in _active:
        return _UNREAD  # an alias that names itself
    _active.append(name)
    try:
        return _of_declaration(found, name)
    finally:
        _active.pop()


def _of_declaration(found: Declaration, name: str) -> Values:
    if name in _SELF:
        return (TypeVariable(SELF),)
    if name in _ANY:
        return _ANYTHING
    if name in ALIASES:
        return read(found.module, ast.Constant(ALIASES[name]))
    if name == "typing.LiteralString":
        return (InstanceOf("builtins.str"),)
    first = found.nodes[0] if found.nodes else None
    match first:
        case ast.ClassDef():
            how = how_of(name)
            return of_class(name) if how is None else (Producer(how, _ANYTHING),)
        case ast.AnnAssign(value=ast.expr() as value) if _is_alias(first):
            return read(found.module, value)
        case ast.Assign(value=ast.Call() as value):
            return _made_types(found, value)
        case ast.Assign(value=ast.expr() as value) if name.rpartition(".")[0] not in TYPING:
            return read(found.module, value)
        case ast.Assign():
            return (InstanceOf(name),)  # ``List = list``
    return _UNREAD


def of_variable(found: Declaration) -> Values:
    """Return what a variable of a module holds, by its annotation; empty for all else."""
    node = found.nodes[0] if len(found.nodes) == 1 else None
    if not isinstance(node, ast.AnnAssign) or _is_alias(node):
        return ()
    return read(found.module, node.annotation)


def _is_alias(node: ast.AnnAssign) -> bool:
    return ast.unparse(node.annotation).rpartition(".")[2] == "TypeAlias"


def _made_types(found: Declaration, value: ast.Call) -> Values:
    """Return the type of ``T = TypeVar(...)`` or ``N = NewType(...)``."""
    made_by = ast.unparse(value.func).rpartition(".")[2]
    if made_by in _VARIABLES:
        bound = keyword_of(value, "bound")
        constraints = value.args[1:]
        limits = constraints or ([] if bound is None else [bound])
        # A bound by a protocol says what it can do, not what it is.
        limits = [limit for limit in limits if not _is_protocol(found.module, limit)]
        known = union(*(read(found.module, limit) for limit in limits))
        return (TypeVariable(f"{found.module}.{found.name}", known),)
    if made_by == "NewType" and len(value.args) > 1:
        return read(found.module, value.args[1])
    return _UNREAD


def _is_protocol(module: str, node: ast.expr) -> bool:
    declared = named_declaration(module, node.value if isinstance(node, ast.Subscript) else node)
    first = declared.nodes[0] if declared is not None and declared.nodes else None
    if not isinstance(first, ast.ClassDef):
        return True
    return any(ast.unparse(base).partition("[")[0].endswith("Protocol") for base in first.bases)


def _generic(module: str, node: ast.Subscript) -> Values:
    result = named_declaration(module, node.value)
    if result is None:
        return _UNREAD
    arguments = items_in_brackets(node)
    first = result.nodes[0] if result.nodes else None
    if isinstance(first, ast.AnnAssign) and first.value is not None and _is_alias(first):
        return _alias(result, first.value, [read(module, argument) for argument in arguments])
    return generic(result.public_name, arguments, lambda argument: read(module, argument))


def _alias(found: Declaration, value: ast.expr, arguments: list[Values]) -> Values:
    """Return the type of an alias with type variables, given its ``arguments``."""
    names = variables_in(found.module, [value])
    return solved_values(read(found.module, value), dict(zip(names, arguments, strict=False)))


def variables_in(module: str, nodes: list[ast.expr]) -> tuple[str, ...]:
    """Return the type variables in types of a stub, in the order of appearance."""
    result: dict[str, None] = {}
    for node in nodes:
        for inner in _names(node):
            for value in read(module, inner):
                if isinstance(value, TypeVariable) and value.name != SELF:
                    result[value.name] = None
    return tuple(result)


def _names(node: ast.expr) -> list[ast.Name]:
    """Return the names in a type from left to right."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    return sorted(names, key=position)
