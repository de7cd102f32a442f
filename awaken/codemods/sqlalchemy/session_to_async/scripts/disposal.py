"""Closing the connections of an engine before the event loop ends that they belong to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.threads import POOL
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import BlockingEngines
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import is_collected
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import imported_as, modules_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import UNPOOLED, Engine
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.memo import cached_by, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name, variable_of
from awaken.project.source.worklist import reachable
from awaken.workspace.sources import line_break_before

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
Run = tuple[str, list[Edit], list[str]]
"""The code that runs a coroutine, with its edits and caveats."""
_UNPOOLED = "sqlalchemy.pool.NullPool"
_OF_POOLS = ("max_overflow", "pool")
Closed = Literal["", "engine", "program"]
"""Of whose engine a thread closes the connections: that of its result, or of the program."""

_WHY_IN_THREAD = "# A {} may import this file while its event loop runs."


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
    one that the file which runs the coroutine imports, by whatever others. An engine that a task
    makes for itself gets no pool, so that it keeps no connections.
    """

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._project = part.project
        self._rule = rule
        self._is_task = part.entry_points.is_task
        self._databases = part.databases
        self._unpooled: dict[Place, Engine] = {}
        self._users: dict[_Closing, list[Place]] = {}
        self._at_import = set[_Closing | None]()
        self._explained = set[Place]()
        self._blocking = BlockingEngines(part.project)

    def run(self, site: Site[ast.AST], coroutine: str, call: ast.expr | None = None) -> Run:
        """Return the code that runs ``coroutine``, with its edits and caveats. Raises Refused.

        It takes the place of ``call``, if that is not None.
        """
        closed, edits, caveats = self._closing_coroutine(site, coroutine, call)
        return f"asyncio.run({closed})", edits, caveats

    def run_task(self, site: Site[ast.AST], coroutine: str, task: FunctionPlace) -> Run:
        """Return the same for the ``coroutine`` of a task. Raises Refused."""
        closed, edits, caveats = self._closing_coroutine(site, coroutine, task=task)
        return f"asyncio.run({closed})", edits, caveats

    def _closing_coroutine(
        self,
        site: Site[ast.AST],
        coroutine: str,
        call: ast.expr | None = None,
        task: FunctionPlace | None = None,
    ) -> Run:
        """Return the coroutine that also closes the connections. Raises Refused."""
        needed: list[Edit] = [import_of_asyncio(self._project, site)]
        closing = self._closing(site.module, task)
        engines = self._engines_of(site.module, task)
        of_tasks = [item for item in engines if self._is_of_task(item)]
        self._unpooled |= {item.module.place(item.call): item for item in of_tasks}
        if closing is None and self._is_unpooled(site.module, task):
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

        Its connections are ``closed``, or those of the engine that it gives. Raises Refused.
        """
        opening, closing, needed = self.around_thread(site, closed)
        module, statement = site.module, site.module.statement_of(call) or call
        newline = line_break_before(module.source.text, module.span(statement).start)
        around = [site.insert_before(call, opening), site.insert_behind(call, closing)]
        if (place := module.place(statement)) not in self._explained:
            self._explained.add(place)
            around.insert(0, site.insert_before(statement, f"{why_in_thread(module)}{newline}"))
        return [*around, *needed]

    def around_thread(self, site: Site[ast.AST], closed: Closed) -> tuple[str, str, list[Edit]]:
        """Return the code around a coroutine that a thread of its own runs, and its edits.

        An event loop may run where the site is. Raises Refused.
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
        return f"{name}().submit({context}{opening}", closing, [*needed, *imports, *more]

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

    def is_possible(self, module: Module, task: FunctionPlace | None = None) -> bool:
        """Whether no connection outlives a loop that is run in a file, and how is known."""
        return self._closing(module, task) is not None or self._is_unpooled(module, task)

    def _is_late(self, running: Module, closing: _Closing) -> bool:
        """Whether only functions of a file import what makes the engine.

        Other statements of the file may say first where that is, or which database it has.
        """
        imports = self._project.web.imports
        at_top = [
            path
            for node in running.nodes_of(ast.Import, ast.ImportFrom)
            if running.enclosing_function(node) is None
            for path in imports.files_imported(running, node)
        ]
        along = reachable(at_top, imports.imported_anywhere)
        return closing.module.path not in {running.path, *along}

    def _is_set_up(self, running: Module) -> bool:
        """Whether functions of a file may say so: they run after an import above their call."""
        return any(
            self._project.qualified_name(running, node) in _SETTING_UP
            for node in running.nodes_of(ast.Name, ast.Attribute)
            if isinstance(node, ast.expr) and running.enclosing_function(node) is not None
        )

    def _imported_names(self, home: Module) -> set[str]:
        imported = self._project.web.imports.imported_anywhere
        return reachable(imported(home.path), imported)

    def members(self) -> Iterator[Member]:
        """Yield the functions that close connections, where anything uses them."""
        for closing, users in self._users.items():
            yield self._member(closing, users)
        for engine in self._unpooled.values():
            site: Site[ast.expr] = Site(self._rule, engine.module, engine.call.func)
            shown = f"`{engine.module.excerpt(engine.call)}`"
            yield member(site, shown, self._without_pool, engine)

    def _without_pool(self, site: Site[ast.expr], engine: Engine) -> Rewrite:
        """Return the rewrite of an engine that keeps no connections. Raises Refused."""
        written, needed = name_from_same_module(self._project, site, None, _UNPOOLED)
        edits = [site.add_keyword(engine.call, "poolclass", written), *needed]
        caveat = f"each use of `{_name_of(engine)}` opens a connection, also of one in memory"
        return Rewrite(f"`{_name_of(engine)}` keeps no connection of a loop", edits, [caveat])

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
            if item.module is closing.module and _name_of(item) == engine
        )
        is_with_sqlite = "sqlite" in self._databases
        may_be_in_memory = any(
            url is None or url.may_be_in_memory or (url.outside and is_with_sqlite) for url in urls
        )
        if closing not in self._at_import or not may_be_in_memory:
            return f"{body}        await {engine}.dispose()\n"
        condition = f'        if {engine}.dialect.name != "sqlite":  # it may be in memory\n'
        return f"{body}{condition}            await {engine}.dispose()\n"

    def _closing(self, running: Module, task: FunctionPlace | None = None) -> _Closing | None:
        used = self._engines_of(running, task)
        engines = [item for item in used if not self._is_left_open(item, running)]
        if len({(item.module.path, _name_of(item)) for item in engines}) != 1:
            return None
        module, name = engines[0].module, _name_of(engines[0])
        bindings = module.scopes.module.bindings.get(name, [])
        # One of several databases may be chosen; it is an engine in each case.
        calls = {item.call for item in used if item.module is module}
        if not bindings or any(binding.value not in calls for binding in bindings):
            return None
        statement = module.statement_of(engines[-1].call)
        while statement is not None and statement not in module.tree.body:
            statement = _statement_above(module, statement)
        if statement is None:
            return None
        return _Closing(module, statement, name, module.scopes.fresh_name("closing_connections"))

    @cached_property
    def _engines(self) -> list[Engine]:
        return [engine for engine in self._project.orm.engines.all() if self._is_of_program(engine)]

    def _engines_of(self, running: Module, task: FunctionPlace | None = None) -> list[Engine]:
        """Return the engines that a file may use, or a task of it."""
        engines = self._engines_imported(running)
        if task is None or len(engines) < 2:  # noqa: PLR2004  there is nothing to choose from
            return engines
        return [item for item in engines if self._is_used(item, task)] or engines

    def _is_used(self, engine: Engine, task: FunctionPlace) -> bool:
        """Whether a task, or what it calls, makes an engine or names what is made of it."""
        graph = self._project.calls.graph()
        around = engine.module.enclosing_function(engine.call)
        reached = graph.reachable([task])
        if isinstance(around, Function):
            return graph.place_of(engine.module, around) in reached
        if around is not None or not _name_of(engine):
            return True
        return any(
            not self._words_of(item).isdisjoint(self._derived_engines(engine)) for item in reached
        )

    def _words_of(self, function: FunctionPlace) -> frozenset[str]:
        """Return the names that a function mentions, without its own variables."""
        pair = self._project.calls.definition_of(function)
        if pair is None:
            return frozenset()
        module, own = pair[0], pair[0].scopes.scope_made_by(pair[1])
        nodes = (node for node in ast.walk(pair[1]) if isinstance(node, ast.Name | ast.Attribute))
        return frozenset(
            last_name(node)
            for node in nodes
            if all(item.scope is not own for item in module.scopes.bindings_of(node))
        )

    @cached_by(lambda engine: engine.module.place(engine.call))
    def _derived_engines(self, engine: Engine) -> frozenset[str]:
        """Return the names of an engine and of what is made of it outside of functions."""
        return frozenset(reachable([_name_of(engine)], self._made_of))

    @cached_method
    def _made_of(self, name: str) -> frozenset[str]:
        """Return the names that are given values which mention a name, outside of functions."""
        return frozenset(
            last_name(target)
            for module in modules_with(self._project, [name.encode()])
            for node in module.nodes_of(ast.Assign, ast.AnnAssign)
            if module.enclosing_function(node) is None and node.value is not None
            if any(last_name(part) == name for part in ast.walk(node.value))
            for target in targets_of(node)
        )

    @cached_by(attrgetter("path"))
    def _engines_imported(self, running: Module) -> list[Engine]:
        """Return the engines of files that a file imports."""
        imported = {running.path} if len(self._engines) > 1 else set[str]()
        imported |= self._imported_names(running) if imported else set()
        return [item for item in self._engines if item.module.path in imported] or self._engines

    def _is_unpooled(self, running: Module, task: FunctionPlace | None = None) -> bool:
        """Whether no engine keeps connections of a loop that has ended."""
        engines = self._engines_of(running, task)
        return bool(engines) and all(self._is_left_open(engine, running) for engine in engines)

    def _is_left_open(self, engine: Engine, running: Module) -> bool:
        """Whether an engine has no pool, or its tests need the database that ends with it."""
        if self._is_of_task(engine):
            return True
        pool, url = engine.options.get("poolclass"), self._project.orm.engines.url_of(engine)
        if pool is not None and last_name(pool) in UNPOOLED:
            return True
        texts = () if url is None or url.outside else url.texts
        is_in_memory = bool(texts) and all(text.is_in_memory for text in texts)
        return is_in_memory and is_collected(self._project, running)

    def _is_of_task(self, engine: Engine) -> bool:
        """Whether a task makes an engine for itself, and does not say which pool that has."""
        function = engine.module.enclosing_function(engine.call)
        if not isinstance(function, Function):
            return False
        if not self._is_task(self._project.calls.graph().place_of(engine.module, function)):
            return False
        url = self._project.orm.engines.url_of(engine)
        is_in_memory = any(text.is_in_memory for text in (() if url is None else url.texts))
        has_pool = any(option.startswith(_OF_POOLS) for option in engine.options)
        return bool(_name_of(engine)) and not (is_in_memory or has_pool or engine.unpacked_mappings)

    def _is_of_program(self, engine: Engine) -> bool:
        module = engine.module
        is_kept = is_of_alembic(module) or self._blocking.is_made_at(module, engine.call.func)
        return not (engine.is_async or is_kept or is_test_file(module.path))


def _name_of(engine: Engine) -> str:
    """Return the variable that an engine is assigned to; empty without one."""
    return last_name(variable_of(engine.module.parent(engine.call)))


def _statement_above(module: Module, statement: ast.stmt) -> ast.stmt | None:
    """Return the statement that holds another one; None where it is a definition."""
    above = (item for item in module.ancestors(statement) if isinstance(item, ast.stmt))
    outer = next(above, None)
    return None if isinstance(outer, Function | ast.ClassDef) else outer


def why_in_thread(module: Module) -> str:
    """Return the comment that says why a thread runs a coroutine for a file."""
    return _WHY_IN_THREAD.format("test" if is_test_file(module.path) else "server")
