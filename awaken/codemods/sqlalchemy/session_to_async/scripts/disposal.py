"""Closing the connections of an engine before the event loop ends that they belong to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.threads.thread_pools import POOL
from awaken.codemods.sqlalchemy.session_to_async.find.blocking import BlockingEngines
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import is_collected
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.search import imported_as, imported_at
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.engines.domain import UNPOOLED, Engine
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.programs.migrations import is_of_alembic
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import last_name, variable_of
from awaken.project.source.worklist import reached
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.project import Project


_CONTEXT = "contextvars.copy_context"
_HERE = "..."
_WHY_IN_THREAD = "# A server may import this file while its event loop runs."


class _Closing(NamedTuple):
    """The variable that holds the engine, the statement that binds it, and the function's name."""

    module: Module
    statement: ast.stmt
    engine: str
    name: str


class Disposal:
    """Writes the function that waits for a coroutine and then closes the connections.

    It is next to the engine of a program, if that is a variable of a module. Of several it is the
    one that the file which runs the coroutine imports, by whatever others.
    """

    def __init__(self, project: Project, rule: str) -> None:
        self._project = project
        self._rule = rule
        self._users: dict[_Closing, list[Place]] = {}
        self._at_import = set[_Closing | None]()
        self._blocking = BlockingEngines(project)

    def run(self, site: Site[ast.AST], coroutine: str) -> tuple[str, list[Edit], list[str]]:
        """Return the code that runs ``coroutine``, with its edits and caveats. Raises Refused."""
        closed, edits, caveats = self._closing_coroutine(site, coroutine)
        return f"asyncio.run({closed})", edits, caveats

    def _closing_coroutine(
        self, site: Site[ast.AST], coroutine: str
    ) -> tuple[str, list[Edit], list[str]]:
        """Return the coroutine that also closes the connections. Raises Refused."""
        needed: list[Edit] = [import_of_asyncio(self._project, site)]
        closing = self._closing(site.module)
        if closing is None and self._is_unpooled(site.module):
            return coroutine, needed, []
        if closing is None:
            caveat = "connections in the pool are not closed before the event loop ends"
            return coroutine, needed, [caveat]
        self._users.setdefault(closing, []).append(site.place)
        name, imports = self._named(site, closing, closing.name)
        return f"{name}({coroutine})", [*needed, *imports], []

    def run_in_place(self, site: Site[ast.AST], call: ast.expr) -> tuple[list[Edit], list[str]]:
        """Return the edits that run the coroutine of ``call``, and caveats. Raises Refused."""
        # The arguments of the call may change as well.
        run, edits, caveats = self.run(site, _HERE)
        opening, _, closing = run.partition(_HERE)
        around = [site.insert_before(call, opening), site.insert_behind(call, closing)]
        return [*around, *edits], caveats

    def run_in_thread(
        self, site: Site[ast.AST], call: ast.expr, *, is_loop_bound: bool
    ) -> list[Edit]:
        """Return the edits that run the coroutine of ``call`` in a thread of its own.

        An event loop may run where the statement is. Raises Refused.
        """
        closed, needed = _HERE, [import_of_asyncio(self._project, site)]
        if is_loop_bound:
            closed, needed, _ = self._closing_coroutine(site, _HERE)
            self._at_import.add(self._closing(site.module))
        name, imports = name_beside(self._project, site, None, POOL)
        context, more = "", list[Edit]()
        if self._project.files_with((b"ContextVar",)):
            context, more = name_beside(self._project, site, None, _CONTEXT)
            context = f"{context}().run, "
        opening, _, closing = f"lambda: asyncio.run({closed})).result()".partition(_HERE)
        text = site.module.source.text
        *_, indent = LINE_END_BYTES.split(text[: site.module.span(call).start])
        line_end = LINE_END_BYTES.search(text)
        above = _WHY_IN_THREAD + ("\n" if line_end is None else line_end[0].decode())
        begin = f"{above}{indent.decode()}{name}().submit({context}{opening}"
        around = [site.insert_before(call, begin), site.insert_behind(call, closing)]
        return [*around, *needed, *imports, *more]

    def begin(self, site: Site[ast.AST]) -> tuple[str, list[Edit]]:
        """Return the code that forgets connections of another process, with its edits.

        A process that is forked has copies of those that were open. Raises Refused.
        """
        closing = self._closing(site.module)
        if closing is None:
            return "", []
        engine, imports = self._named(site, closing, closing.engine)
        return f"{engine}.sync_engine.dispose(close=False)", imports

    def _named(self, site: Site[ast.AST], closing: _Closing, name: str) -> tuple[str, list[Edit]]:
        if closing.module.path == site.module.path:
            return name, []
        home = imported_as(self._project, closing.module, site.module)
        return name_beside(self._project, site, None, f"{home}.{name}")

    def is_possible(self, module: Module) -> bool:
        """Whether no connection outlives a loop that is run in a file, and how is known."""
        return self._closing(module) is not None or self._is_unpooled(module)

    def _imported_names(self, home: Module) -> set[str]:
        return reached(self._imports_of(home.path), self._imports_of)

    @cached_method
    def _imports_of(self, path: str) -> frozenset[str]:
        names = set[str]()
        for module, node in nodes_in(self._project.modules_at([path]), ast.AST):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names.update(imported_at(self._project, module, node))
        return frozenset(names)

    def members(self) -> Iterator[Member]:
        """Yield the functions that close connections, where anything uses them."""
        for closing, users in self._users.items():
            yield self._member(closing, users)

    def _member(self, closing: _Closing, users: Sequence[Place]) -> Member:
        site: Site[ast.AST] = Site(self._rule, closing.module, closing.statement)
        project = self._project
        awaitable, imports = name_beside(project, site, None, "collections.abc.Awaitable")
        anything, more = name_beside(project, site, None, "typing.Any")
        code = (
            f"async def {closing.name}(work: {awaitable}[{anything}]) -> {anything}:\n"
            f'    """Await `work`, then close the connections, which belong to its event loop."""\n'
            f"    try:\n        return await work\n"
            f"    finally:\n{self._disposal(closing)}"
        )
        place = closing.module.place(closing.statement)
        edits = [site.insert_statements(place, "after", code), *imports, *more]
        shown = f"`{closing.engine}`"
        rewrite = Rewrite(f"the connections of {shown} are closed", edits)
        return Member(site, rewrite, shown, tuple(users))

    def _disposal(self, closing: _Closing) -> str:
        """Return the code that closes connections: one of a database in memory holds its data."""
        engine, project = closing.engine, self._project
        urls = (
            project.orm.engines.url_of(item)
            for item in self._engines
            if item.module.parent(item.call) is closing.statement
        )
        may_be_in_memory = any(url is None or url.may_be_in_memory for url in urls)
        if closing not in self._at_import or not may_be_in_memory:
            return f"        await {engine}.dispose()\n"
        condition = f'        if {engine}.dialect.name != "sqlite":  # it may be in memory\n'
        return f"{condition}            await {engine}.dispose()\n"

    def _closing(self, running: Module) -> _Closing | None:
        engines = self._engines_of(running)
        if len(engines) != 1 or self._is_unpooled(running):
            return None
        module, call = engines[0].module, engines[0].call
        statement, engine = module.parent(call), variable_of(module.parent(call))
        if engine is None or statement not in module.tree.body:
            return None
        name = module.scopes.fresh_name("closing_connections")
        return _Closing(module, statement, engine.id, name)

    @cached_property
    def _engines(self) -> list[Engine]:
        return [engine for engine in self._project.orm.engines.all() if self._is_of_program(engine)]

    @cached_by(attrgetter("path"))
    def _engines_of(self, running: Module) -> list[Engine]:
        """Return the engines that a file may use: those of files that it imports."""
        imported = {running.path} if len(self._engines) > 1 else set[str]()
        imported |= self._imported_names(running) if imported else set()
        return [item for item in self._engines if item.module.path in imported] or self._engines

    def _is_unpooled(self, running: Module) -> bool:
        """Whether no engine keeps connections of a loop that has ended."""
        engines = self._engines_of(running)
        return bool(engines) and all(self._is_left_open(engine, running) for engine in engines)

    def _is_left_open(self, engine: Engine, running: Module) -> bool:
        """Whether an engine has no pool, or its tests need the database that ends with it."""
        pool, url = engine.options.get("poolclass"), self._project.orm.engines.url_of(engine)
        if pool is not None and last_name(pool) in UNPOOLED:
            return True
        texts = () if url is None or url.outside else url.texts
        is_in_memory = bool(texts) and all(text.is_in_memory for text in texts)
        return is_in_memory and is_collected(self._project, running)

    def _is_of_program(self, engine: Engine) -> bool:
        module = engine.module
        is_kept = is_of_alembic(module) or self._blocking.is_made_at(module, engine.call.func)
        return not (engine.is_async or is_kept or is_test_file(module.path))
