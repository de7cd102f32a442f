"""Functions that stay plain because the owner says so: each call waits in a thread of its own.

The thread has its own event loop and connections, so any code may call the function: in a thread,
or in the event loop of the application, which it blocks as before. The pool of an engine serves one
loop only, so a coroutine in another loop must not wait for its connections.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.outside.entry_points import name_of
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_ON_OWN_ENGINE
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import name_table
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.colouring import chain
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameter_names
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaken.codemods.sqlalchemy.session_to_async.colour.program import SynchronousPart
    from awaken.project import Project

_NAMED = name_table("own_loops")
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

    def __init__(self, node: ast.AST) -> None:
        super().__init__()
        self.node = node


class OwnLoops:
    """Decides about such functions of one program, and writes the helper that runs them."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self._part = part
        self._project: Project = part.project
        self._rule = rule
        self._users: dict[str, list[Place]] = {}
        self._first: dict[str, ast.stmt] = {}

    def engine_of(self, module: Module, node: Function) -> str:
        """Return the variable with the engine that all connections of a function come from.

        Raises Refused where they come from elsewhere as well.
        """
        function = self._part.place_of(module, node)
        refused = Refused(NOT_ON_OWN_ENGINE, function.qualname)
        is_plain = isinstance(node, ast.FunctionDef) and not module.is_generator(node)
        if not is_plain or node.decorator_list:
            raise refused
        others = [
            *(call.place for call in self._part.calls.get(function, ())),
            *self._part.entries.get(function, ()),
        ]
        if others:
            raise Refused(NOT_ON_OWN_ENGINE, function.qualname, because=(min(others),))
        try:
            result = {*self._engines(module, node)}
        except _ElsewhereError as error:
            because = (module.place(error.node),)
            raise Refused(NOT_ON_OWN_ENGINE, function.qualname, because=because) from None
        if len(result) != 1:
            raise refused
        return result.pop()

    def _engines(self, module: Module, node: Function) -> Iterator[str]:
        """Yield the names of engines that come from outside of a function.

        Raises _ElsewhereError for a session or a connection that is made of anything else.
        """
        inside, scopes = module.scopes.scope_made_by(node), module.scopes
        own = parameter_names(node.args)
        for part in (each for statement in node.body for each in ast.walk(statement)):
            is_read = isinstance(getattr(part, "ctx", ast.Load()), ast.Load)
            if not isinstance(part, ast.Name | ast.Attribute | ast.Call) or not is_read:
                continue
            resource = self._project.orm.resource_of(module, part)
            if resource is None or isinstance(resource, Unknown):
                continue
            match part:
                case ast.Name(id=name):
                    if scopes.owner(name, scopes.scope_of(part)) is inside and name not in own:
                        continue
                    home = self._project.qualified_name(module, part)
                    is_renamed = home is not None and home.rpartition(".")[2] != name
                    if resource != "engine" or name in own or is_renamed:
                        raise _ElsewhereError(part)
                    yield name
                case ast.Call(func=ast.Attribute(value=owner)) if self._is_one(module, owner):
                    pass
                case ast.Call(args=[ast.Name() as given]) if self._is_one(module, given):
                    pass
                case _:
                    raise _ElsewhereError(part)

    def _is_one(self, module: Module, node: ast.expr) -> bool:
        resource = self._project.orm.resource_of(module, node)
        return resource is not None and not isinstance(resource, Unknown)

    def home_of(self, module: Module, node: Function) -> str:
        """Return the qualified name of the engine of a function; empty for a local variable."""
        engine = self.engine_of(module, node)
        name = next(
            part for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == engine
        )
        return self._project.qualified_name(module, name) or ""

    def asked(self, refused: Refused, function: FunctionPlace) -> Refused:
        """Return why ``function`` may not wait, with the option that takes it back, if one does."""
        last = next((one.to for one in reversed(chain(self._part.steps, function)) if one.to), None)
        wanted = function if last is None else last
        node = self._part.node_of(wanted)
        try:
            if node is None:
                return refused
            self.engine_of(*node)
        except Refused:
            return refused
        bridged = f'bridged = ["{name_of(self._project, wanted)}"]'
        refused.help += (
            f" Or keep it synchronous, if it may block its caller: set the option `{bridged}` of "
            "this rule. Each call then runs in its own thread."
        )
        return refused.answered_by(f"rules.session-to-async.{bridged}")

    def parameter(self, site: Site[ast.AST], node: Function) -> tuple[str, list[Edit]]:
        """Return the parameter by which a coroutine function takes its engine. Raises Refused."""
        written, imports = name_beside(self._project, site, None, _NAMED["engine"])
        return f"{self.engine_of(site.module, node)}: {written}", imports

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
        given = ", ".join(filter(None, [engine, coroutine, arguments]))
        caveat = f"it opens its own connections, and events of `{engine}` do not fire for them"
        return f"{self._name(module)}({given})", [caveat]

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
                names[key], imports = name_beside(self._project, site, None, qualified)
                edits += imports
        except Refused as refused:
            return Member(site, refused, shown, tuple(users))
        name = self._name(site.module)
        code = _CODE.format(name=name, **names)
        edits.append(site.insert_statements(site.module.place(top), "after", code))
        message = f"`{name}` runs coroutines in a thread, for functions that stay synchronous"
        return Member(site, Rewrite(message, edits), shown, tuple(users))
