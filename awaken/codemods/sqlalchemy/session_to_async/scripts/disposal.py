"""Closing the connections of an engine before the event loop ends that they belong to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.threads.thread_pools import POOL
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import BlockingEngines
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import is_collected
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import imported_as, imported_at
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import UNPOOLED, Engine
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import last_name, variable_of
from awaken.project.source.worklist import reachable
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.project import Project


_CONTEXT = "contextvars.copy_context"
_HERE = "..."
_ENGINE_CLOSED = (
    '    """Return the engine of `work`. This event loop ends, so its connections are closed."""',
    "    engine = await work",
    '    if engine is not None and engine.dialect.name != "sqlite":',
    "        await engine.dispose()",
    "    return engine",
    "",
)
_SETTING_UP = name_list("setting_up_imports")
Closed = Literal["", "engine", "program"]
"""Of whose engine a thread closes the connections: that of its result, or of the program."""

_WHY_IN_THREAD = "# A server may import this file while its event loop runs."


class _Closing(NamedTuple):
    """The variable that holds the engine, the statement that binds it, and the function's name.

    Without a statement the function closes the connections of the engine that its argument gives.
    """

    module: Module
    statement: ast.stmt | None
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
        self._explained = set[Place]()
        self._blocking = BlockingEngines(project)

    def run(
        self, site: Site[ast.AST], coroutine: str, call: ast.expr | None = None
    ) -> tuple[str, list[Edit], list[str]]:
        """Return the code that runs ``coroutine``, with its edits and caveats. Raises Refused.

        It takes the place of ``call``, if that is not None.
        """
        closed, edits, caveats = self._closing_coroutine(site, coroutine, call)
        return f"asyncio.run({closed})", edits, caveats

    def _closing_coroutine(
        self, site: Site[ast.AST], coroutine: str, call: ast.expr | None = None
    ) -> tuple[str, list[Edit], list[str]]:
        """Return the coroutine that also closes the connections. Raises Refused."""
        needed: list[Edit] = [import_of_asyncio(self._project, site)]
        closing = self._closing(site.module)
        if closing is None and self._is_unpooled(site.module):
            return coroutine, needed, []
        is_late = call is not None and closing is not None and self._is_late(site.module, closing)
        if closing is None or (is_late and self._is_set_up(site.module)):
            caveat = "connections in the pool are not closed before the event loop ends"
            return coroutine, needed, [caveat]
        self._users.setdefault(closing, []).append(site.place)
        statement = site.module.statement_of(call) if call is not None and is_late else None
        name, imports = self._name_and_import(site, closing, closing.name, statement)
        return f"{name}({coroutine})", [*needed, *imports], []

    def run_in_place(self, site: Site[ast.AST], call: ast.expr) -> tuple[list[Edit], list[str]]:
        """Return the edits that run the coroutine of ``call``, and caveats. Raises Refused."""
        # The arguments of the call may change as well.
        run, edits, caveats = self.run(site, _HERE, call)
        opening, _, closing = run.partition(_HERE)
        around = [site.insert_before(call, opening), site.insert_behind(call, closing)]
        return [*around, *edits], caveats

    def run_in_thread(self, site: Site[ast.AST], call: ast.expr, closed: Closed) -> list[Edit]:
        """Return the edits that run the coroutine of ``call`` in a thread of its own.

        Its connections are ``closed``, or those of the engine that it gives. An event loop may run
        where the statement is. Raises Refused.
        """
        coroutine, needed = _HERE, [import_of_asyncio(self._project, site)]
        if closed == "engine":
            name = site.module.scopes.fresh_name("without_connections")
            giving = _Closing(site.module, None, "engine", name)
            self._users.setdefault(giving, []).append(site.place)
            coroutine = f"{name}({_HERE})"
        elif closed:
            coroutine, needed, _ = self._closing_coroutine(site, _HERE)
            self._at_import.add(self._closing(site.module))
        name, imports = name_from_same_module(self._project, site, None, POOL)
        context, more = "", list[Edit]()
        if self._project.files_with((b"ContextVar",)):
            context, more = name_from_same_module(self._project, site, None, _CONTEXT)
            context = f"{context}().run, "
        opening, _, closing = f"lambda: asyncio.run({coroutine})).result()".partition(_HERE)
        text, statement = site.module.source.text, site.module.statement_of(call) or call
        *_, indent = LINE_END_BYTES.split(text[: site.module.span(statement).start])
        line_end = LINE_END_BYTES.search(text)
        above = _WHY_IN_THREAD + ("\n" if line_end is None else line_end[0].decode())
        begin = f"{name}().submit({context}{opening}"
        around = [site.insert_before(call, begin), site.insert_behind(call, closing)]
        if (place := site.module.place(statement)) not in self._explained:
            self._explained.add(place)
            around.insert(0, site.insert_before(statement, f"{above}{indent.decode()}"))
        return [*around, *needed, *imports, *more]

    def begin(self, site: Site[ast.AST]) -> tuple[str, list[Edit]]:
        """Return the code that forgets connections of another process, with its edits.

        A process that is forked has copies of those that were open. Raises Refused.
        """
        closing = self._closing(site.module)
        if closing is None:
            return "", []
        engine, imports = self._name_and_import(site, closing, closing.engine)
        return f"{engine}.sync_engine.dispose(close=False)", imports

    def _name_and_import(
        self, site: Site[ast.AST], closing: _Closing, name: str, before: ast.stmt | None = None
    ) -> tuple[str, list[Edit]]:
        """Return the name at the site, and its import: at the top, or ``before`` a statement."""
        if closing.module.path == site.module.path:
            return name, []
        home = imported_as(self._project, closing.module, site.module)
        if before is not None:
            code = f"from {home} import {name}\n"
            return name, [site.insert_statements(site.module.place(before), "before", code)]
        return name_from_same_module(self._project, site, None, f"{home}.{name}")

    def is_possible(self, module: Module) -> bool:
        """Whether no connection outlives a loop that is run in a file, and how is known."""
        return self._closing(module) is not None or self._is_unpooled(module)

    def _is_late(self, running: Module, closing: _Closing) -> bool:
        """Whether only functions of a file import what makes the engine.

        Other statements of the file may say first where that is, or which database it has.
        """
        at_top = [
            name
            for node in running.nodes_of(ast.Import, ast.ImportFrom)
            if running.enclosing_function(node) is None
            for name in imported_at(self._project, running, node)
        ]
        return closing.module.path not in {running.path, *reachable(at_top, self._imports_of)}

    def _is_set_up(self, running: Module) -> bool:
        """Whether functions of a file may say so: they run after an import above their call."""
        return any(
            self._project.qualified_name(running, node) in _SETTING_UP
            for node in running.nodes_of(ast.Name, ast.Attribute)
            if isinstance(node, ast.expr) and running.enclosing_function(node) is not None
        )

    def _imported_names(self, home: Module) -> set[str]:
        return reachable(self._imports_of(home.path), self._imports_of)

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
        module, project = closing.module, self._project
        statement = closing.statement or module.tree.body[0]
        site: Site[ast.AST] = Site(self._rule, module, statement)
        awaitable, imports = name_from_same_module(project, site, None, "collections.abc.Awaitable")
        anything, more = name_from_same_module(project, site, None, "typing.Any")
        code = f"async def {closing.name}(work: {awaitable}[{anything}]) -> {anything}:\n"
        code += self._disposal(closing) if closing.statement else "\n".join(_ENGINE_CLOSED)
        where: Literal["after", "after-imports"] = "after" if closing.statement else "after-imports"
        edits = [site.insert_statements(module.place(statement), where, code), *imports, *more]
        shown = f"`{closing.engine}`"
        rewrite = Rewrite(f"the connections of {shown} are closed", edits)
        return Member(site, rewrite, shown, tuple(users))

    def _disposal(self, closing: _Closing) -> str:
        """Return the body that closes connections: one of a database in memory holds its data."""
        engine, project = closing.engine, self._project
        body = (
            '    """Await `work`, then close the connections, which belong to its event loop."""\n'
            "    try:\n        return await work\n    finally:\n"
        )
        urls = (
            project.orm.engines.url_of(item)
            for item in self._engines
            if item.module.parent(item.call) is closing.statement
        )
        may_be_in_memory = any(url is None or url.may_be_in_memory for url in urls)
        if closing not in self._at_import or not may_be_in_memory:
            return f"{body}        await {engine}.dispose()\n"
        condition = f'        if {engine}.dialect.name != "sqlite":  # it may be in memory\n'
        return f"{body}{condition}            await {engine}.dispose()\n"

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
