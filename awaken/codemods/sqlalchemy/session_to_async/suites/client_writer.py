"""Writes ``httpx.AsyncClient`` in the place of synchronous clients of tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.twin_names import released
from awaken.contract import Edit, Place, Span, TextEdit
from awaken.kit.imports import name_beside
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.source.test_files import is_around_tests, is_test_file

if TYPE_CHECKING:
    from awaken.project import Project

_POSITIONS = ("app", "base_url", "raise_server_exceptions", "root_path")
"""The first parameters of ``TestClient``, by their places."""

_LIFESPAN = (
    b"lifespan", b"on_event", b"on_startup", b"on_shutdown", b"add_event_handler", b"create_all",
)  # fmt: skip
_READS_ADDRESS = re.compile(rb"\.client\b|[\"']client[\"']|get_remote_address")
_READS_AGENT = re.compile(rb"user.agent", re.IGNORECASE)


class ClientWriter:
    """Writes the clients of one program."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def sites(self, rule: str) -> Iterator[Site[ast.expr]]:
        """Yield each name of a synchronous client."""
        known = twins().clients.names
        spellings = sorted({one for name in known for one in self._project.spellings(name)})
        for module in modules_with(self._project, [name.encode() for name in spellings]):
            for node in (node for word in spellings for node in module.mentions(word)):
                if not isinstance(node, ast.Name | ast.Attribute):
                    continue
                if self._project.qualified_name(module, node) in known:
                    yield Site(rule, module, node)

    def rewritten(self, site: Site[ast.expr]) -> Rewrite:
        """Return what becomes of a name of a synchronous client. Raises Refused."""
        module, node = site.module, site.node
        above = module.parent(node)
        if isinstance(above, ast.ClassDef):
            raise Refused(reasons.OWN_CLIENT, above.name)
        name, imports = name_beside(self._project, site, None, "httpx.AsyncClient")
        edits = [site.replace(node, name), *imports, *released(site, node)]
        caveats: list[str] = []
        if isinstance(above, ast.Call) and above.func is node:
            edits += self._made(site, above)
            caveats = ["requests of tests run in the loop of the test"]
        return Rewrite(f"`{module.text_of(node)}` becomes `{name}`", edits, caveats)

    # ---------------------------------------------------------------------------- how it is made
    def _made(self, site: Site[ast.expr], call: ast.Call) -> Iterator[Edit]:
        module, known = site.module, twins().clients
        shown = module.excerpt(call)
        names = [*_POSITIONS[: len(call.args)], *(one.arg for one in call.keywords)]
        is_spread = any(isinstance(one, ast.Starred) for one in call.args) or None in names
        if is_spread or len(call.args) > len(_POSITIONS):
            raise Refused(reasons.OWN_CLIENT, shown)
        if {*names} - {*known.arguments, *known.transport} or "app" not in names:
            raise Refused(reasons.OWN_CLIENT, shown)
        values = [*call.args, *(one.value for one in call.keywords)]
        given = dict(zip(names, values, strict=True))
        application = given["app"]
        transport, imports = name_beside(self._project, site, None, "httpx.ASGITransport")
        yield from imports
        inside = [
            f", {known.transport[name]}={module.text_of(value)}"
            for name, value in given.items()
            if name in known.transport
        ]
        if "client" not in given and self._reads(_READS_ADDRESS):
            inside.append(', client=("testclient", 50000)')
        written = self._entered(site, call, application)
        if written is None:
            is_keyword = not call.args
            opening = f"transport={transport}(" + ("" if is_keyword else "app=")
            first = call.keywords[names.index("app")] if is_keyword else application
            yield site.insert_before(first, opening)
            yield site.insert_behind(first, f"{''.join(inside)})")
        else:
            code, edits = written
            yield from edits
            first = application if call.args else call.keywords[names.index("app")]
            yield site.replace(first, f"transport={transport}(app={code}{''.join(inside)})")
        yield from self._others(site, call, names)

    def _others(
        self, site: Site[ast.expr], call: ast.Call, names: list[str | None]
    ) -> Iterator[Edit]:
        """Yield what becomes of the other arguments: what the client itself had by default."""
        module, known = site.module, twins().clients
        parts: list[ast.AST] = [*call.args, *call.keywords]
        for index, (name, part) in enumerate(zip(names, parts, strict=True)):
            if name in known.transport:
                yield _cut(site, module.span(parts[index - 1]).end, module.span(part).end)
            elif name == "base_url" and part in call.args:
                yield site.insert_before(part, "base_url=")
        if "base_url" not in names:
            yield site.add_keyword(call, "base_url", '"http://testserver"')
        if "follow_redirects" not in names:
            yield site.add_keyword(call, "follow_redirects", "True")
        if self._reads(_READS_AGENT):
            if "headers" in names:
                headers = call.keywords[names.index("headers") - len(call.args)].value
                yield site.insert_before(headers, '{"user-agent": "testclient", **')
                yield site.insert_behind(headers, "}")
            else:
                yield site.add_keyword(call, "headers", '{"user-agent": "testclient"}')

    def _entered(
        self, site: Site[ast.expr], call: ast.Call, application: ast.expr
    ) -> tuple[str, list[Edit]] | None:
        """Return what enters the lifespan, and the application; None where nothing does."""
        module = site.module
        item = module.parent(call)
        if not isinstance(item, ast.withitem) or not self._project.files_with(_LIFESPAN):
            return None
        if self._yields_state:
            raise Refused(reasons.OWN_CLIENT, module.excerpt(call), because=self._yields_state)
        if isinstance(application, ast.Name | ast.Attribute):
            code = module.text_of(application)
            return code, [_entering(site, call, code)]
        statement = module.parent(item)
        is_first = isinstance(statement, ast.With) and statement.items[0] is item
        if not is_first or statement is None:
            raise Refused(reasons.OWN_CLIENT, module.excerpt(call))
        code = module.scopes.fresh_name("application", "app")
        made = f"{code} = {module.text_of(application)}"
        before = site.insert_statements(module.place(statement), "before", made)
        return code, [before, _entering(site, call, code)]

    # -------------------------------------------------------------------------- what is in sight
    def _reads(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the program itself, and not its tests, has what ``pattern`` finds."""
        return any(pattern.search(text) for text in self._texts)

    @cached_property
    def _texts(self) -> list[bytes]:
        paths = self._project.files_with((b"client", b"user", b"User", b"remote"))
        modules = (self._project.module(one) for one in paths if not _is_of_tests(one))
        return [one.source.text for one in modules if one is not None]

    @cached_property
    def _yields_state(self) -> tuple[Place, ...]:
        """Where a lifespan yields what requests have as their state: only ``TestClient`` knows."""
        return tuple(
            module.place(node)
            for path in self._project.files_with((b"lifespan",))
            if (module := self._project.module(path)) is not None
            for node in module.walk()
            if isinstance(node, ast.Yield) and isinstance(node.value, ast.Dict)
            if not _is_of_tests(path)
        )


def _is_of_tests(path: str) -> bool:
    return is_test_file(path) or is_around_tests(path)


def _entering(site: Site[ast.expr], call: ast.Call, code: str) -> Edit:
    return site.insert_before(call, f"{code}.router.lifespan_context({code}), ")


def _cut(site: Site[ast.expr], start: int, end: int) -> Edit:
    return TextEdit(path=site.module.path, anchor=Span(start, end), text="", site=site.id)
