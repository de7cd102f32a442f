"""Endpoints of websockets that `TestClient` cancels when a test leaves their `with` block.

Before that an endpoint has handled all messages if it awaits its websocket alone. An endpoint that
awaits the database is cancelled inside a statement. The session of the test may use its connection.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.added_functions import added_function
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.find.test_clients import CONNECTING, Clients
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.effects import suspensions
from awaken.project.effects.suspending import waited_for
from awaken.project.frameworks.testing.requests import may_answer, path_of
from awaken.project.graph.dispatch import Called
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.replacing import text_of
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function
from awaken.project.source.worklist import Queue

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_WEBSOCKETS = name_list("websockets")
_IMPORTS = {"WebSocketTestSession": "starlette.testclient", "CancelScope": "anyio", "Any": "typing"}
_CODE = '''\
def {name}(session: {WebSocketTestSession}) -> {WebSocketTestSession}:
    """Let the endpoint of a websocket handle all messages before the client cancels it."""
    app = session.app

    async def finished(scope: {Any}, receive: {Any}, send: {Any}) -> None:
        with {CancelScope}(shield=True):
            await app(scope, receive, send)

    session.app = finished
    return session
'''


class _Endpoint(NamedTuple):
    """An endpoint; ``path`` is None if unknown. ``ends`` before the client of a test cancels it."""

    function: FunctionPlace
    path: str | None
    ends: bool


def finished_websockets(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the websockets of tests whose endpoints are cancelled only since they await."""
    project = part.project
    endpoints = [*_endpoints(part)]
    clients = Clients(project)
    for module in modules_with(project, (CONNECTING.encode(),)) if endpoints else ():
        for operation in clients.operations(module):
            call = operation.node
            if operation.method != CONNECTING or not isinstance(call, ast.Call):
                continue
            path = path_of(module, call)
            answering = [
                endpoint
                for endpoint in endpoints
                if path is None or endpoint.path is None or may_answer(endpoint.path, path)
            ]
            waiting = [
                endpoint.function.place for endpoint in answering if part.waits(endpoint.function)
            ]
            if waiting and all(endpoint.ends for endpoint in answering):
                site = Site[ast.AST](rule, module, call)
                helper, needed = added_function(site, "run_to_its_end", _CODE, _IMPORTS)
                insertions = Insertions(module)
                insertions.wrap(call, f"{helper}(", ")")
                message = "its endpoint handles all messages before the client cancels it"
                rewrite = Rewrite(message, [*insertions.edits(site), *needed])
                yield Member(site, rewrite, f"`{module.excerpt(call)}`", (*waiting,))


def _endpoints(part: SynchronousPart) -> Iterator[_Endpoint]:
    for module in modules_with(part.project, (b"websocket",)):
        for function in () if is_around_tests(module.path) else module.functions:
            for node in function.decorator_list:
                match node:
                    case ast.Call(func=ast.Attribute(attr="websocket" | "websocket_route")):
                        path = text_of(module, node.args[0]) if node.args else None
                        ends = _awaits_only_websockets(part.project, module, function)
                        yield _Endpoint(part.place_of(module, function), path, ends)


def _awaits_only_websockets(project: Project, module: Module, function: Function) -> bool:
    """Whether a function awaits websockets alone, and so do the coroutines that it awaits."""
    functions = Queue([(module, function)], lambda pair: pair[0].key_of(pair[1]))
    for home, node in functions:
        awaits = suspensions(node).awaits
        for awaited in (each for awaiting in awaits for each in waited_for(awaiting)):
            if not isinstance(awaited, ast.Call):
                return False
            if isinstance(awaited.func, ast.Attribute):
                names = project.instance_of(home, awaited.func.value)
                if names and _WEBSOCKETS.issuperset(names):
                    continue
            called = project.calls.function_called(home, awaited)
            if not isinstance(called, Called):
                return False
            functions += [(called.module, called.function)]
    return True
