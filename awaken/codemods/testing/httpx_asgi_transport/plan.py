"""The rule: each client that is given an application."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from awaken.codemods.testing.httpx_asgi_transport import reasons
from awaken.codemods.testing.httpx_asgi_transport.payload import Transport
from awaken.contract import Phase, Place
from awaken.kit.caveats.failures import observers
from awaken.kit.caveats.replaced_names import doubles_of
from awaken.kit.changes import Decided, decide
from awaken.kit.imports import name_from_same_module
from awaken.kit.rule import SiteRule
from awaken.kit.search import site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.names.classes import ClassFacts
from awaken.project.source.expressions.alternatives import branches, types_in
from awaken.project.source.trees import is_none
from awaken.project.source.worklist import Queue

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_CATCHING = library_names().catching_all | {None, "builtins.TypeError"}
_TRANSPORTS = {"httpx.AsyncClient": "httpx.ASGITransport", "httpx.Client": "httpx.WSGITransport"}
_PARTIAL = "functools.partial"


_Base = tuple[str | None, str, Place]


class HttpxAsgiTransport(SiteRule):
    """Rewrites ``AsyncClient(app=app)`` to ``AsyncClient(transport=ASGITransport(app=app))``."""

    name = "httpx-asgi-transport"
    family = "testing"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"app=", b"app =", b'"app"', b"'app'")
    anchors = ((b"httpx",),)
    needs: ClassVar[Mapping[str, str]] = {"httpx": ">=0.14"}
    reasons = reasons.ALL
    writers = (f"{__package__}.rewrite",)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per client that is given an application, and its change."""
        return (
            decide(Site(self.name, module, client.call), _rewrite, project, client)
            for module in site_modules(project, self.triggers)
            for client in _clients(project, module)
        )


def _rewrite(site: Site[ast.Call], project: Project, client: Client) -> Rewrite:
    """Return how the client is given a transport. Raises Refused."""
    caveats = [*_caveats(project, site.module, client), *_hidden_caveats(project, site)]
    clauses, doubles = doubles_of(project, site.module, site.node.func, f"{client.kind}.__init__")
    transport = _TRANSPORTS[client.kind]
    name = transport.rpartition(".")[2]
    written, imports = name_from_same_module(
        project, site, client.named, transport, reasons.NAME_TAKEN
    )
    shown = site.module.excerpt(site.node.func)
    return Rewrite(
        f"`{shown}(app=...)` becomes `{shown}(transport={name}(app=...))`",
        [site.rewrite(site.node, "rewrite-client", Transport(written)), *imports],
        [*caveats, *clauses],
        doubles,
    )


def _hidden_caveats(project: Project, site: Site[ast.Call]) -> list[str]:
    """Return the caveat that something hides how the client fails today."""
    module, node = site.module, site.node
    if not project.targets.admits("httpx", ">=0.28"):
        return []
    clauses = (clause for clause, _ in observers(project, module, node, _CATCHING))
    return [
        clause.replace("it fails today", "it fails since httpx 0.28")
        for clause in islice(clauses, 1)
    ]


def _caveats(project: Project, module: Module, client: Client) -> list[str]:
    """Return what may change if the client is rewritten. Raises Refused."""
    if client.refused is not None:
        raise client.refused
    given = {node.arg: node.value for node in client.call.keywords if node.arg is not None}
    unpacked = [keyword.value for keyword in client.call.keywords if keyword.arg is None]
    if "app" not in given:
        raise Refused(reasons.IN_MAPPING, f"**{ast.unparse(unpacked[0])}")
    # httpx uses the transport and ignores `app`.
    if "transport" in given:
        raise Refused(reasons.TWO_TRANSPORTS)
    # `app=None` uses the network, `ASGITransport(app=None)` fails.
    # A check before the call proves that it is there.
    app = given["app"]
    if _may_be_none(module, app) and project.values.of(module, app).may_be_none:
        raise Refused(reasons.NO_APPLICATION, f"`{module.excerpt(given['app'])}`")
    if module.in_fstring(client.call):
        raise Refused(reasons.INSIDE_FSTRING)
    return [
        f"`**{module.excerpt(node)}` may contain a `transport`, which would then be passed twice"
        for node in unpacked
        if not _is_plain(node)
    ]


def _is_plain(node: ast.expr) -> bool:
    """Whether all keys of an unpacked mapping are known, and none is `transport`."""
    if not isinstance(node, ast.Dict):
        return False
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    return None not in keys and "transport" not in keys


def _may_be_none(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is visibly None on some path."""
    match node:
        case ast.Constant():
            return node.value is None
        case ast.BoolOp():
            # Only the last value of `a or b` is taken although it is false.
            return _may_be_none(module, node.values[-1])
        case ast.Name():
            return any(
                is_none(binding.value) or _is_optional(module, binding.annotation)
                for binding in module.scopes.bindings_of(node)
            )
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return _attribute_may_be_none(module, node, name)
        case _:
            parts = [part for part in branches(node) if part is not node]
            return any(_may_be_none(module, part) for part in parts)


def _is_optional(module: Module, annotation: ast.expr | None) -> bool:
    return any(map(is_none, types_in(module, annotation)))


def _attribute_may_be_none(module: Module, node: ast.Attribute, name: str) -> bool:
    """Whether the class around ``node`` gives None to its attribute ``name`` somewhere."""
    around = module.enclosing_class(node)
    for part in () if around is None else module.walk(around):
        match part:
            case ast.Assign(targets=[*targets], value=value):
                if any(_is_named(target, name) for target in targets) and is_none(value):
                    return True
            case ast.AnnAssign(target=target, value=value, annotation=annotation):
                if _is_named(target, name) and (is_none(value) or _is_optional(module, annotation)):
                    return True
    return False


def _is_named(node: ast.expr, name: str) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=found) | ast.Name(id=found):
            return found == name
    return False


class Client(Struct, frozen=True):
    """One call that gives ``app`` to httpx; ``kind`` is the class of httpx.

    ``named`` is the expression that names that class itself, None where a subclass is called.
    ``refused`` is why it stays, if the call shows that.
    """

    call: ast.Call
    kind: str
    named: ast.expr | None = None
    refused: Refused | None = None


def _clients(project: Project, module: Module) -> Iterator[Client]:
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
    return next((kind for kind in reversed(_TRANSPORTS) if kind in inherited), None)


def _client(project: Project, module: Module, call: ast.Call) -> Client | None:
    if _is_super_init(call):
        return _of_super(project, module, call)
    name = project.qualified_name(module, call.func)
    if name == _PARTIAL and call.args:
        made = project.qualified_name(module, call.args[0])
        # Later calls of the partial may pass `app` or `transport` themselves.
        if made in _TRANSPORTS:
            return Client(call, made, refused=Refused(reasons.PARTIAL))
        return None
    if name in _TRANSPORTS:
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
        elif name not in _TRANSPORTS:
            refused = Refused(reasons.OWN_CONSTRUCTOR, f"`{text}`", because=(place,))
    return Client(call, kind, refused=refused)


def _bases(facts: ClassFacts) -> list[_Base]:
    place = Place(facts.path, facts.span)
    return [(*pair, place) for pair in zip(facts.bases, facts.bases_text, strict=True)]


def _has_constructor(facts: ClassFacts) -> bool:
    """Whether the class of the project has an ``__init__`` or ``__new__`` in its own body."""
    return bool({"__init__", "__new__"} & facts.members)
