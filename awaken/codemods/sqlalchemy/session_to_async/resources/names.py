"""Engines, factories and annotations: what stands for the names of the synchronous side."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.foreign.models import ForeignModels
from awaken.codemods.sqlalchemy.session_to_async.payload import HAND_ON, HandedOn
from awaken.codemods.sqlalchemy.session_to_async.resources.helpers import rows_helper
from awaken.codemods.sqlalchemy.session_to_async.resources.inserts import refers_to_itself
from awaken.codemods.sqlalchemy.session_to_async.resources.listeners import is_in_listener
from awaken.codemods.sqlalchemy.session_to_async.resources.surroundings import requirements
from awaken.codemods.sqlalchemy.session_to_async.resources.urls import Urls
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_name, write_twin
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import session_classes, twins
from awaken.project.source.migrations import is_environment, is_revision
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.domain import Engine

_LISTENING = {"sqlalchemy.event.listen", "sqlalchemy.event.listens_for"}
_FACTORIES = {"sqlalchemy.orm.sessionmaker"}
NAMES = frozenset(name for name in twins().names if name.startswith(("sqlalchemy.", "sqlmodel.")))


def resource_sites(project: Project, rule: str) -> Iterator[tuple[Site[ast.expr], str]]:
    """Yield each name of a synchronous session, factory or engine, with what it names."""
    spellings = sorted({one for name in NAMES for one in project.spellings(name)})
    for module in modules_with(project, [name.encode() for name in spellings]):
        if is_revision(module) or is_environment(module):
            continue
        for node in (node for word in spellings for node in module.mentions(word)):
            if not isinstance(node, ast.Name | ast.Attribute):
                continue
            qualified = project.qualified_name(module, node)
            # Events are those of the synchronous class.
            is_declared = isinstance(module.parent(node), ast.arg)
            if is_declared and is_in_listener(project, module, node):
                continue
            if qualified in NAMES and not _is_listener(project, module, module.parent(node)):
                yield Site(rule, module, node), qualified


def listening(project: Project, rule: str) -> Iterator[Member]:
    """Yield what becomes of listeners on engines: events are those of synchronous ones."""
    for module in modules_with(project, (b"listen",)):
        for node in module.walk():
            if not isinstance(node, ast.Call) or not node.args:
                continue
            target = node.args[0]
            is_engine = project.instance_of(module, target) == ("sqlalchemy.Engine",)
            if is_engine and _is_listener(project, module, node):
                site: Site[ast.AST] = Site(rule, module, node)
                shown = f"`{module.excerpt(target)}`"
                message = f"{shown} is listened to as a synchronous engine"
                edits = [site.insert_behind(target, ".sync_engine")]
                yield Member(site, Rewrite(message, edits), shown)


def _is_listener(project: Project, module: Module, node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and project.qualified_name(module, node.func) in _LISTENING


class ResourceWriter:
    """Writes the twins of what the synchronous side names.

    ``foreign`` are models of other packages: their tables may refer to themselves.
    """

    def __init__(
        self, project: Project, urls: Urls, engines: Sequence[Engine], foreign: ForeignModels
    ) -> None:
        self._project = project
        self._urls = urls
        self._rows_refer = foreign.are_said or refers_to_itself(project)
        self._foreign = foreign
        self._engines = {(one.module.path, one.module.span(one.call)): one for one in engines}
        self.drivers = urls.drivers(engines)
        running = urls.drivers([one for one in engines if not is_test_file(one.module.path)])
        self._in_tests = [one for one in self.drivers.values() if one not in running.values()]
        has_any = any(one.loop_bound for one in self.drivers.values())
        self.is_loop_bound = bool(engines) and has_any

    def rewritten(self, site: Site[ast.expr], qualified: str) -> Rewrite:
        """Return what becomes of a name of the synchronous side. Raises Refused."""
        module, node = site.module, site.node
        above = module.parent(node)
        if isinstance(above, ast.ClassDef) and node in above.bases:
            raise Refused(reasons.OWN_SESSION_CLASS, above.name)
        written, edits = write_twin(self._project, site, node, qualified)
        caveats: list[str] = []
        if isinstance(above, ast.Call) and above.func is node:
            edits += self._arguments(site, above, qualified)
            caveats = self._caveats(qualified)
        return Rewrite(f"`{module.text_of(node)}` becomes `{written}`", edits, caveats)

    def _caveats(self, qualified: str) -> list[str]:
        if qualified in _FACTORIES | session_classes():
            stale = "what is read of an object after a commit is what it was before"
            return [stale, *self._foreign.caveats]
        return [text for one in self.drivers.values() for text in one.stricter]

    def _arguments(self, site: Site[ast.expr], call: ast.Call, qualified: str) -> Iterator[Edit]:
        engine = self._engines.get((site.module.path, site.module.span(call)))
        if engine is not None:
            is_handed_on = self._rows_refer and self._urls.sends_rows_together(engine)
            yield from self._urls.edits(site, engine, self.drivers, is_rewritten=is_handed_on)
            yield from self._urls.left(site.id, engine, self.drivers)
            yield from requirements(self._project, site.id, self.drivers.values(), self._in_tests)
            yield from self._pool(site, engine)
            if is_handed_on:
                function, edits = rows_helper(site)
                yield from (*edits, site.rewrite(engine.call, HAND_ON, HandedOn(function)))
        given = {one.arg for one in call.keywords}
        if qualified in _FACTORIES | session_classes() and "expire_on_commit" not in given:
            yield site.add_keyword(call, "expire_on_commit", "False")
        if qualified == "sqlalchemy.orm.scoped_session" and len(call.args) + len(given) == 1:
            yield site.add_keyword(call, "scopefunc", "asyncio.current_task")
            yield site.need_import("asyncio")

    def _pool(self, site: Site[ast.expr], engine: Engine) -> Iterator[Edit]:
        """Yield what gives an engine the pool for asynchronous ones. Raises Refused."""
        given = engine.options.get("poolclass")
        qualified = None if given is None else self._project.qualified_name(site.module, given)
        if given is not None and qualified in twins().pools:
            yield from write_name(self._project, site, given, twins().pools[qualified])[1]
