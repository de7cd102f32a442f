"""The clients that are given an application: calls that reach the constructor of httpx."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.testing.httpx_asgi_transport import reasons
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.project.names.classes import ClassFacts
from awaken.project.source.worklist import Queue

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

TRANSPORTS = {"httpx.AsyncClient": "httpx.ASGITransport", "httpx.Client": "httpx.WSGITransport"}
_PARTIAL = "functools.partial"


class Client(Struct, frozen=True):
    """One call that gives ``app`` to httpx; ``kind`` is the class of httpx.

    ``named`` is the expression that names that class itself, None where a subclass is called.
    ``refused`` is why it stays, if the call shows that.
    """

    call: ast.Call
    kind: str
    named: ast.expr | None = None
    refused: Refused | None = None


def clients(project: Project, module: Module) -> Iterator[Client]:
    """Yield the clients of one file in the order of the source."""
    for node in module.nodes(ast.Call):
        if any(keyword.arg == "app" or _unpacks_app(module, keyword) for keyword in node.keywords):
            client = _client(project, module, node)
            if client is not None:
                yield client


def _unpacks_app(module: Module, keyword: ast.keyword) -> bool:
    """Whether ``**keyword`` unpacks a mapping that visibly holds ``app``."""
    if keyword.arg is not None:
        return False
    held = [keyword.value]
    if isinstance(keyword.value, ast.Name):
        bindings = module.scopes.bindings_of(keyword.value)
        held = [binding.value for binding in bindings if binding.value is not None]
    return any(map(_holds_app, held))


def _holds_app(node: ast.expr) -> bool:
    match node:
        case ast.Dict():
            return any(isinstance(key, ast.Constant) and key.value == "app" for key in node.keys)
        case ast.Call(func=ast.Name(id="dict")):
            return any(keyword.arg == "app" for keyword in node.keywords)
    return False


def _kind(project: Project, name: str) -> str | None:
    """Return the client that a class of the project inherits from, if it does."""
    inherited = project.library_ancestors(name)
    # A class that inherits from both clients gets the transport of the synchronous one.
    return next((kind for kind in reversed(TRANSPORTS) if kind in inherited), None)


def _client(project: Project, module: Module, call: ast.Call) -> Client | None:
    if _is_super_init(call):
        return _of_super(project, module, call)
    name = project.qualified_name(module, call.func)
    if name == _PARTIAL and call.args:
        made = project.qualified_name(module, call.args[0])
        # Later calls of the partial may pass `app` or `transport` themselves.
        if made in TRANSPORTS:
            return Client(call, made, refused=Refused(reasons.PARTIAL))
        return None
    if name in TRANSPORTS:
        return Client(call, name, call.func)
    kind = None if name is None else _kind(project, name)
    return None if name is None or kind is None else _of_subclass(project, call, name, kind)


def _is_super_init(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"):
            return True
    return False


def _of_super(project: Project, module: Module, call: ast.Call) -> Client | None:
    """Return the client of ``super().__init__(app=app)`` in a subclass of a client."""
    name = module.full_name(module.enclosing_class(call))
    facts, kind = project.class_facts(name), _kind(project, name)
    if facts is None or kind is None:
        return None
    return _of_bases(project, call, kind, _bases(facts))


def _of_subclass(project: Project, call: ast.Call, name: str, kind: str) -> Client | None:
    """Return the client of a call of a subclass; None if the project's own code takes ``app``."""
    facts = project.class_facts(name)
    # A constructor of its own may handle `app`.
    if facts is None or _has_constructor(facts):
        return None
    return _of_bases(project, call, kind, _bases(facts))


def _of_bases(project: Project, call: ast.Call, kind: str, bases: list[_Base]) -> Client | None:
    """Return the client of a call of the constructor that ``bases`` give, nearest first."""
    refused, waiting = None, Queue(bases)
    for name, text, place in waiting:
        facts = None if name is None else project.class_facts(name)
        if facts is not None:
            if _has_constructor(facts):
                return None
            waiting += _bases(facts)
        # An unknown base class may take `app` before httpx does.
        elif name not in TRANSPORTS:
            refused = Refused(reasons.OWN_CONSTRUCTOR, f"`{text}`", because=(place,))
    return Client(call, kind, refused=refused)


_Base = tuple[str | None, str, Place]


def _bases(facts: ClassFacts) -> list[_Base]:
    place = Place(facts.path, facts.span)
    return [(*pair, place) for pair in zip(facts.bases, facts.bases_text, strict=True)]


def _has_constructor(facts: ClassFacts) -> bool:
    """Whether the class of the project has an ``__init__`` or ``__new__`` in its own body."""
    return bool({"__init__", "__new__"} & facts.members)
