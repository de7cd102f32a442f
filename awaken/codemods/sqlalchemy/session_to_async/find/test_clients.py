"""Clients of tests that cannot stay synchronous, for their requests run in a loop of their own.

The connections of some drivers work in one event loop alone. ``httpx.AsyncClient`` sends requests
to an application in the loop of the test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.reasons import OWN_CLIENT, UNKNOWN_CLIENT
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.testing.requests import METHODS, path_of
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project

CONNECTING = "websocket_connect"
"""The method of a client that opens a websocket."""
_UNSURE = METHODS - {"get", "open"}
"""Methods that little has but clients: what has one, and is unknown, may be one."""


class Clients:
    """The synchronous clients of the tests of one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known = twins().clients
        self._methods = {*self._known.awaited, *self._known.missing, "close"}

    def are_kept(self) -> bool:
        """Whether a test uses what only a synchronous client has, as ``CONNECTING``."""
        paths = self._project.files_with([f".{name}".encode() for name in self._known.missing])
        modules = (self._project.module(path) for path in paths)
        operations = (self.operations(module) for module in modules if module is not None)
        return any(operation.how == "missing" for each in operations for operation in each)

    def operations(self, module: Module) -> Iterator[Operation]:
        """Yield the requests of a file of tests, and where it enters a client."""
        if not is_around_tests(module.path):
            return
        for node in module.walk():
            match node:
                case ast.Attribute(value=receiver, attr=name) if name in self._methods:
                    yield from self._use(module, node, receiver)
                case ast.withitem(context_expr=entered) if self._is_client(module, entered):
                    yield Operation(entered, "entered", "client")

    def _use(self, module: Module, node: ast.Attribute, receiver: ast.expr) -> Iterator[Operation]:
        call = module.call_of(node)
        unknown = self._project.values.of(module, receiver).unknown
        if self._is_client(module, receiver):
            if call is None or node.attr in self._known.missing:
                yield Operation(call or node, "missing", "client", node.attr)
            else:
                yield Operation(call, "awaited", "client", node.attr)
        elif unknown is not None and call is not None and _may_ask(module, call, node.attr):
            yield Operation(call, "unknown", "client", node.attr, unknown.why)

    def _is_client(self, module: Module, node: ast.expr) -> bool:
        names = self._project.instance_of(module, node)
        return bool(names) and all(self._is_of_client(name) for name in names)

    def _is_of_client(self, name: str) -> bool:
        known = set(self._known.names)
        return name in known or not known.isdisjoint(self._project.library_ancestors(name))


def write(module: Module, awaiting: Awaiting, operation: Operation) -> None:
    """Write a use of a client as one of an asynchronous client. Raises Refused."""
    node, because = operation.node, (module.place(operation.node),)
    match operation.how:
        case "entered":
            awaiting.enters(node)
        case "missing":
            raise Refused(OWN_CLIENT, module.excerpt(node), because=because)
        case "unknown":
            raise Refused(UNKNOWN_CLIENT, operation.why, because=because)
        case _:
            _check_keywords(module, operation)
            awaiting.awaits(node)
            if isinstance(node, ast.Call) and operation.method == "close":
                awaiting.renames(node.func, "aclose")


def _check_keywords(module: Module, operation: Operation) -> None:
    """Raise Refused for a request with an argument that `httpx` does not take."""
    node, known = operation.node, twins().clients
    taken = {*known.requests}
    if operation.method in known.bodies.methods:
        taken |= {*known.bodies.keywords}
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg is not None and keyword.arg not in taken and operation.method != "send":
            help_ = f"`{operation.method}` of httpx does not accept `{keyword.arg}`"
            if keyword.arg == "allow_redirects":
                help_ += "; use `follow_redirects`"
            elif keyword.arg in known.bodies.keywords:
                help_ += f': write `request("{(operation.method or "").upper()}", ...)`'
            because = (module.place(keyword.value),)
            raise Refused(OWN_CLIENT, module.excerpt(node), f"{help_}.", because)


def _may_ask(module: Module, call: ast.Call, method: str) -> bool:
    return method in _UNSURE and path_of(module, call) is not None
