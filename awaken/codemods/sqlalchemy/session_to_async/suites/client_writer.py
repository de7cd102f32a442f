"""Writes ``httpx.AsyncClient`` in the place of synchronous clients of tests.

``TestClient`` cancels the endpoint of a websocket when a test leaves its ``with`` block. Before
that an endpoint has handled all messages if it awaits its websocket alone. An endpoint that awaits
the database is cancelled inside a statement. The session of the test may use its connection.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.added_functions import added_function
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.find.test_clients import CONNECTING, Clients
from awaken.contract import Edit, Place, Requirement, Span
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module, release_imports
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import modules_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import name_list, word_list
from awaken.project.effects import suspensions
from awaken.project.effects.own_nodes import waited_for
from awaken.project.frameworks.testing.requests import may_answer, path_of
from awaken.project.graph.dispatch import Called
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.replacing import text_of
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, arguments_of
from awaken.project.source.worklist import Queue

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_POSITIONS = ("app", "base_url", "raise_server_exceptions", "root_path")
"""The first parameters of ``TestClient``, by their places."""

_LIFESPAN = word_list("lifespans")
_READS_ADDRESS = re.compile(rb"\.client\b|[\"']client[\"']|get_remote_address")
_READS_AGENT = re.compile(rb"user.agent", re.IGNORECASE)


class ClientWriter(ProjectFacts):
    """Writes the clients of one program."""

    def sites(self, rule: str) -> Iterator[Site[ast.expr]]:
        """Yield each name of a synchronous client."""
        for module, node in uses_of(self._project, twins().clients.names):
            yield Site(rule, module, node)

    def rewritten(self, site: Site[ast.expr]) -> Rewrite:
        """Return the rewrite of a name of a synchronous client. Raises Refused."""
        module, node = site.module, site.node
        above = module.parent(node)
        if isinstance(above, ast.ClassDef):
            raise Refused(reasons.OWN_CLIENT, above.name)
        self._check_versions()
        name, imports = name_from_same_module(self._project, site, None, "httpx.AsyncClient")
        imports += self._requirements(site)
        message = f"`{module.text_of(node)}` becomes `{name}`"
        edits = [*imports, *release_imports(site, node)]
        if not isinstance(above, ast.Call) or above.func is not node:
            return Rewrite(message, [site.replace(node, name), *edits])
        made = _Made(site, above)
        agent = self._agent(site, above, made.given.get("headers"))
        transport, imports = name_from_same_module(self._project, site, None, "httpx.ASGITransport")
        lifespan = self._entered_text(site, above, made.given["app"])
        insertions = Insertions(module)
        insertions.replace(module.span(node), lifespan + name)
        made.write(insertions, transport, self._defaults(made.given))
        for offset in agent:
            insertions.insert_at(offset, '"user-agent": "testclient", ')
        edits += [*imports, *insertions.edits(site)]
        return Rewrite(message, edits, ["requests of a test run in the event loop of the test"])

    def _defaults(self, given: dict[str, ast.expr]) -> dict[str, str]:
        """Return what a synchronous client has by default, where that tells."""
        result = {"base_url": '"http://testserver"', "follow_redirects": "True"}
        if self._reads(_READS_ADDRESS):
            is_unknown = self._has_one_of(twins().clients.without_address)
            result["client"] = "None" if is_unknown else '("testclient", 50000)'
        if self._reads(_READS_AGENT):
            result["headers"] = '{"user-agent": "testclient"}'
        return {name: value for name, value in result.items() if name not in given}

    def _agent(self, site: Site[ast.expr], call: ast.Call, headers: ast.expr | None) -> list[int]:
        """Return where the headers of a client get what it calls itself. Raises Refused."""
        if headers is None or not self._reads(_READS_AGENT):
            return []
        texts = [ast.unparse(key) for key in headers.keys if key] if _is_display(headers) else []
        if any("user-agent" in text.lower() for text in texts):
            return []
        if not texts:
            raise Refused(reasons.OWN_CLIENT, site.module.excerpt(call))
        return [site.module.span(headers).start + 1]

    def _entered_text(self, site: Site[ast.expr], call: ast.Call, application: ast.expr) -> str:
        """Return what enters the lifespan in front of a client."""
        module = site.module
        item = module.parent(call)
        if not isinstance(item, ast.withitem) or not self._project.files_with(_LIFESPAN):
            return ""
        if self._yields_state:
            raise Refused(reasons.OWN_CLIENT, module.excerpt(call), because=self._yields_state)
        if not isinstance(application, ast.Name | ast.Attribute):
            raise Refused(reasons.OWN_CLIENT, module.excerpt(call))
        code = module.text_of(application)
        return f"{code}.router.lifespan_context({code}), "

    # -------------------------------------------------------------------------- versions
    def _has_one_of(self, versions: Mapping[str, str]) -> bool:
        """Whether the program is held to these versions of one of these distributions."""
        return any(self._project.targets.guarantees(*pair) for pair in versions.items())

    def _check_versions(self) -> None:
        """Raise Refused where the program is held to versions that lack what is written."""
        targets, known = self._project.targets, twins().clients
        for name, old in known.of_requests.items():
            if targets.guarantees(name, old):
                since = old.removeprefix("<")
                why = f"the test client of {name} {old} is based on requests, not on httpx"
                raise Refused(reasons.OLD_TEST_TOOL, why, f"Require {name} {since} or later.")
        target = targets.distribution("httpx")
        if target is not None and not targets.admits("httpx", known.httpx):
            why = f"httpx {target.specifier} ({target.origin}) does not know `follow_redirects`"
            raise Refused(reasons.OLD_TEST_TOOL, why, f"Require httpx{known.httpx}.")

    def _requirements(self, site: Site[ast.expr]) -> list[Edit]:
        """Return the requirement of httpx, if an installation may lack what is written."""
        targets, versions = self._project.targets, twins().clients.httpx
        if targets.distribution("httpx") and targets.guarantees("httpx", versions):
            return []
        wanted, beside = f"httpx{versions}", ("httpx", "pytest")
        return [Requirement(root="", requirement=wanted, group="dev", beside=beside, site=site.id)]

    # -------------------------------------------------------------------------- what is in sight
    def _reads(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the program itself, and not its tests, has what ``pattern`` finds."""
        return any(pattern.search(text) for text in self._texts)

    @cached_property
    def _texts(self) -> list[bytes]:
        paths = self._project.files_with((b"client", b"user", b"User", b"remote"))
        modules = (self._project.module(path) for path in paths if not is_around_tests(path))
        return [module.source.text for module in modules if module is not None]

    @cached_property
    def _yields_state(self) -> tuple[Place, ...]:
        """Where a lifespan yields what requests have as their state: only ``TestClient`` knows."""
        return tuple(
            module.place(node)
            for path in self._project.files_with((b"lifespan",))
            if (module := self._project.module(path)) is not None
            for node in module.nodes(ast.Yield)
            if isinstance(node.value, ast.Dict)
            if not is_around_tests(path)
        )


def _is_display(node: ast.expr) -> TypeGuard[ast.Dict]:
    return isinstance(node, ast.Dict) and None not in node.keys


class _Made:
    """A call that makes a client; ``given`` are its arguments by their names. Raises Refused."""

    def __init__(self, site: Site[ast.expr], call: ast.Call) -> None:
        self._module = site.module
        self._call = call
        known = twins().clients
        names = [*_POSITIONS[: len(call.args)], *(keyword.arg or "**" for keyword in call.keywords)]
        values = arguments_of(call)
        is_known = {*names} <= {*known.arguments, *known.transport} and "app" in names
        is_starred = any(isinstance(argument, ast.Starred) for argument in call.args)
        if is_starred or len(names) < len(values) or not is_known:
            raise Refused(reasons.OWN_CLIENT, site.module.excerpt(call))
        self.given = dict(zip(names, values, strict=True))

    def write(self, insertions: Insertions, transport: str, defaults: dict[str, str]) -> None:
        """Write the arguments of an asynchronous client in the place of these."""
        module, known = self._module, twins().clients
        parts: dict[str, ast.AST] = dict(
            zip(self.given, [*self._call.args, *self._call.keywords], strict=True)
        )
        texts = {name: module.text_of(value) for name, value in self.given.items()} | defaults
        moved = {name: text for name, text in texts.items() if name in known.transport}
        inside = "".join(f", {known.transport[name]}={text}" for name, text in moved.items())
        opening = "" if isinstance(parts["app"], ast.keyword) else "app="
        insertions.wrap(parts["app"], f"transport={transport}({opening}", f"{inside})")
        before: ast.AST | None = None
        for name, part in parts.items():
            if name in known.transport:
                start = module.span(part if before is None else before).end
                insertions.replace(Span(start, module.span(part).end), "")
            elif name == "base_url" and not isinstance(part, ast.keyword):
                insertions.insert_before(part, "base_url=")
            before = part
        end = module.span(self._call).end - 1
        written = module.source.text[:end].rstrip()
        comma = " " if written.endswith(b",") else ", "
        added = [f"{name}={text}" for name, text in defaults.items() if name not in moved]
        if added:
            insertions.insert_at(end, comma + ", ".join(added))


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
