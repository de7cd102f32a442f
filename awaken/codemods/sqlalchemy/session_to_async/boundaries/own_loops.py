"""Functions that stay plain because the owner says so: each call waits in a thread of its own.

The thread has its own event loop and connections, so any code may call the function: in a thread,
or in the event loop of the application, which it blocks as before. The pool of an engine serves one
loop only, so a coroutine in another loop must not wait for its connections.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.boundaries.objects_with_sessions import (
    ObjectsWithSessions,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import name_of
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_ON_OWN_ENGINE
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module
from awaken.kit.search import argument, modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.colouring import chain
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, parameter_names, parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_NAMED = {
    "engine": "sqlalchemy.ext.asyncio.AsyncEngine",
    "alone": "sqlalchemy.pool.StaticPool",
    "thread": "concurrent.futures.ThreadPoolExecutor",
    "context": "contextvars.copy_context",
    "callable": "collections.abc.Callable",
    "awaitable": "collections.abc.Awaitable",
    "any": "typing.Any",
}
_CODE = '''\
def {name}(
    engine: {engine}, work: {callable}[..., {awaitable}[{any}]], *args: {any}, **kwargs: {any}
) -> {any}:
    """Wait for `work` in its own event loop, with connections that belong to it."""

    async def wait() -> {any}:
        if isinstance(engine.pool, {alone}):  # its only connection is the database
            return await work(engine, *args, **kwargs)
        before, pool = engine.sync_engine, engine.pool.recreate()
        options = before.get_execution_options()
        plain = sqlalchemy.Engine(
            pool, before.dialect, before.url, execution_options=options
        )
        own = {engine}(plain)
        try:
            return await work(own, *args, **kwargs)
        finally:
            await own.dispose()

    with {thread}(max_workers=1) as thread:
        return thread.submit({context}().run, lambda: asyncio.run(wait())).result()
'''


class _ElsewhereError(Exception):
    """A session or a connection that does not come from an engine in a variable."""

    def __init__(self, module: Module, node: ast.AST) -> None:
        super().__init__()
        self.place = module.place(node)


class OwnLoops:
    """Decides about such functions of one program, and writes the helper that runs them."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._part = part
        self._project: Project = part.project
        self._rule = rule
        self._objects = ObjectsWithSessions(part.project)
        self._users: dict[str, list[Place]] = {}
        self._first: dict[str, ast.stmt] = {}
        self._caveats: dict[str, dict[str, None]] = {}

    def engine_of(self, module: Module, node: Function) -> str:
        """Return the variable with the engine that all connections of a function come from.

        Or the one with the factory that makes all its sessions, which has the engine.
        Raises Refused where they come from elsewhere as well.
        """
        function = self._part.place_of(module, node)
        refused = Refused(NOT_ON_OWN_ENGINE, function.qualname)
        is_plain = isinstance(node, ast.FunctionDef) and not module.is_generator(node)
        # A decorator may run the function elsewhere, or read its signature.
        if not is_plain or node.decorator_list:
            raise refused
        others = self._part.entries.get(function, ())
        if others:
            raise Refused(NOT_ON_OWN_ENGINE, function.qualname, because=(min(others),))
        try:
            result = {*self._engines(module, node)}
            self._check_called(function)
        except _ElsewhereError as error:
            because = (error.place,)
            raise Refused(NOT_ON_OWN_ENGINE, function.qualname, because=because) from None
        if len(result) != 1:
            raise refused
        return result.pop()

    def _check_called(self, function: FunctionPlace) -> None:
        """Check that all that ``function`` calls waits for no connection but those it is passed.

        Raises _ElsewhereError with what a function waits for otherwise.
        """
        inside = {*self._project.calls.graph().reachable([function])}
        for called in sorted(inside - {function}):
            pair = self._part.node_of(called) if self._uses_connections(called) else None
            if pair is None:
                continue
            module, node = pair
            entered = any(self._part.entries.get(called, ()))
            if entered or node.decorator_list or any(self._engines(module, node, is_called=True)):
                raise _ElsewhereError(module, node)
            keeps = any(self._is_kept(module, part) for part in ast.walk(node))
            if keeps and self._objects.is_made_outside(called, inside):
                raise _ElsewhereError(module, node)

    def _uses_connections(self, function: FunctionPlace) -> bool:
        """Whether a function waits for connections, or puts them into a new object."""
        part = self._part
        is_coroutine = part.is_asynchronous(function) and part.waits(function)
        return function in part.steps or is_coroutine or function.name == "__init__"

    def _is_kept(self, module: Module, node: ast.AST) -> bool:
        """Whether an object keeps a session or a connection that its constructor got."""
        is_read = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
        if not isinstance(node, ast.Attribute) or not is_read:
            return False
        return self._project.orm.is_resource(module, node) and self._objects.is_passed(module, node)

    def _engines(self, module: Module, node: Function, *, is_called: bool = False) -> Iterator[str]:
        """Yield the names of engines that come from outside of a function.

        Raises _ElsewhereError for a session or a connection that is made of anything else. A
        function that ``is_called`` may get it from its caller, for a parameter without a default.
        """
        inside, scopes = module.scopes.scope_made_by(node), module.scopes
        own = foreign = parameter_names(node.args)
        if is_called:
            foreign = own - {part.arg for part, value in parameters_of(node.args) if value is None}
        for part in (each for statement in node.body for each in ast.walk(statement)):
            is_read = isinstance(getattr(part, "ctx", ast.Load()), ast.Load)
            if not isinstance(part, ast.Name | ast.Attribute | ast.Call) or not is_read:
                continue
            if not self._project.orm.is_resource(module, part):
                continue
            if not isinstance(part, ast.Name):
                is_kept = is_called and self._is_kept(module, part)
                if not is_kept and not self._is_derived(module, part):
                    raise _ElsewhereError(module, part)
            elif scopes.owner(part.id, scopes.scope_of(part)) is not inside or part.id in foreign:
                if is_called or part.id in own or not self._is_source(module, part):
                    raise _ElsewhereError(module, part)
                yield part.id

    def _is_derived(self, module: Module, node: ast.expr) -> bool:
        """Whether a resource comes from another one in the same expression."""
        match node:
            case ast.Attribute(value=owner) | ast.Call(func=ast.Attribute(value=owner)) if (
                self._project.orm.is_resource(module, owner)
            ):
                return True
            case ast.Call(args=[ast.Name() as given]) if self._project.orm.is_resource(
                module, given
            ):
                return True
            case ast.Call(func=ast.Name() as made):
                return self._project.orm.is_resource(module, made)
        return False

    def _is_source(self, module: Module, node: ast.Name) -> bool:
        """Whether a variable of a file has an engine, or a factory with one, under its own name."""
        home = self._project.qualified_name(module, node)
        is_renamed = home is not None and home.rpartition(".")[2] != node.id
        is_engine = self._project.orm.resource_of(module, node) == "engine"
        return not is_renamed and (is_engine or self._is_factory(module, node))

    def _is_factory(self, module: Module, node: ast.Name) -> bool:
        """Whether ``node`` is called and makes a session of an engine that can be another one."""
        project, call = self._project, module.call_of(node)
        home, made = project.value_at(project.qualified_name(module, node)) or (module, None)
        bind = argument(made, 0, "bind") if isinstance(made, ast.Call) else None
        if call is None or call.args or call.keywords or bind is None:
            return False
        is_replaced = any(
            item.factory and item.name == node.id
            for other in modules_with(project, [node.id.encode()])
            if is_around_tests(other.path)
            for item in project.replacements.in_module(other)
        )
        is_made = project.orm.resource_of(module, node) == "factory"
        return is_made and not is_replaced and project.orm.resource_of(home, bind) == "engine"

    def _sessions_made(self, module: Module, node: Function) -> list[ast.Call]:
        """Return the calls of the factory that makes all sessions of a function."""
        return [
            part
            for part in ast.walk(node)
            if isinstance(part, ast.Call)
            and isinstance(part.func, ast.Name)
            and self._is_factory(module, part.func)
        ]

    def home_of(self, module: Module, node: Function) -> str:
        """Return the qualified name of the engine of a function; empty for a local variable."""
        engine = self.engine_of(module, node)
        name = next(
            part for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == engine
        )
        return self._project.qualified_name(module, name) or ""

    def with_option(self, refused: Refused, function: FunctionPlace) -> Refused:
        """Return why ``function`` may not wait, with the option that takes it back, if one does."""
        called = [step.to for step in reversed(chain(self._part.steps, function)) if step.to]
        # A function that something else calls is no step itself, and may call one.
        called += (each for call in self._part.calls.get(function, ()) for each in call.functions)
        wanted = next((each for each in (*called, function) if self._is_possible(each)), None)
        if wanted is None:
            return refused
        bridged = f'bridged = ["{name_of(self._project, wanted)}"]'
        refused.help += (
            f" Or keep it synchronous, if it may block its caller: set the option `{bridged}` of "
            "this rule. Each call then runs in its own thread."
        )
        return refused.answered_by(f"rules.session-to-async.{bridged}")

    def _is_possible(self, function: FunctionPlace) -> bool:
        node = self._part.node_of(function)
        try:
            return node is not None and bool(self.engine_of(*node))
        except Refused:
            return False

    def parameter(self, site: Site[ast.AST], node: Function) -> tuple[str, list[Edit]]:
        """Return the parameter by which a coroutine function takes its engine. Raises Refused."""
        written, edits = name_from_same_module(self._project, site, None, _NAMED["engine"])
        name, made = self.engine_of(site.module, node), self._sessions_made(site.module, node)
        if made:
            name = site.module.scopes.fresh_name("engine", "own_engine")
            edits += [site.add_keyword(call, "bind", name) for call in made]
        return f"{name}: {written}", edits

    def run(
        self, site: Site[ast.AST], node: Function, coroutine: str, arguments: str
    ) -> tuple[str, list[str]]:
        """Return the code that runs a coroutine function so, and what may change."""
        module, engine = site.module, self.engine_of(site.module, node)
        self._users.setdefault(module.path, []).append(site.place)
        top = next(
            ancestor
            for ancestor in (node, *module.ancestors(node))
            if isinstance(ancestor, ast.stmt) and module.parent(ancestor) is module.tree
        )
        first = self._first.setdefault(module.path, top)
        if module.span(top).start < module.span(first).start:
            self._first[module.path] = top
        is_factory = any(self._sessions_made(module, node))
        bind = f'{engine}.kw["bind"]' if is_factory else engine
        given = ", ".join(filter(None, [bind, coroutine, arguments]))
        caveats = [f"it opens its own connections, and events of `{engine}` do not fire for them"]
        # At its end, Python waits for the threads of executors.
        if any(modules_with(self._project, [b"daemon"])):
            caveats.append(
                "the process waits for it at its end, also where a daemon thread runs it"
            )
        self._caveats.setdefault(module.path, {}).update(dict.fromkeys(caveats))
        return f"{self._name(module)}({given})", caveats

    def _name(self, module: Module) -> str:
        return module.scopes.fresh_name("wait_in_thread", "wait_in_own_thread")

    def members(self) -> Iterator[Member]:
        """Yield the helpers, one in each file that uses it."""
        for module in self._project.modules_at(sorted(self._users)):
            first = module.span(self._first[module.path]).start
            top = next(node for node in module.tree.body if module.span(node).start == first)
            site: Site[ast.AST] = Site(self._rule, module, top)
            yield self._member(site, top, self._users[module.path])

    def _member(self, site: Site[ast.AST], top: ast.stmt, users: Iterable[Place]) -> Member:
        shown = "the thread that waits"
        try:
            edits = [import_of_asyncio(self._project, site), site.need_import("sqlalchemy")]
            names: dict[str, str] = {}
            for key, qualified in _NAMED.items():
                names[key], imports = name_from_same_module(self._project, site, None, qualified)
                edits += imports
        except Refused as refused:
            return Member(site, refused, shown, tuple(users))
        name = self._name(site.module)
        code = _CODE.format(name=name, **names)
        edits.append(site.insert_statements(site.module.place(top), "after", code))
        message = f"`{name}` runs coroutines in a thread, for functions that stay synchronous"
        # The helper may have the place of the first function, and then its message.
        caveats = [*self._caveats[site.module.path]]
        return Member(site, Rewrite(message, edits, caveats), shown, tuple(users))
