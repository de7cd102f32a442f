"""Writes ``httpx.AsyncClient`` in the place of synchronous clients of tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TypeGuard

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.contract import Edit, Place, Requirement, Span
from awaken.kit.imports import name_from_same_module, release_imports
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import word_list
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import arguments_of

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
