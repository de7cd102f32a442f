"""Engines, factories and annotations: the names that replace those of the synchronous side."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name, rows_helper
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import (
    BlockingEngines,
    Helpers,
)
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import (
    is_called_by_events,
    is_in_condition,
    listened_to,
    listening_calls,
)
from awaken.codemods.sqlalchemy.session_to_async.foreign.foreign_models import ForeignModels
from awaken.codemods.sqlalchemy.session_to_async.payload import FORWARD, Forwarded
from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import caveats_of_kept_state
from awaken.codemods.sqlalchemy.session_to_async.resources.database_urls import (
    Urls,
    check_versions,
    requirements,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.held_sessions import never_removed
from awaken.codemods.sqlalchemy.session_to_async.resources.inserts import refers_to_itself
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio, write_twin
from awaken.contract import Edit, Place, TextEdit
from awaken.kit.changes import Member
from awaken.kit.imports import replace_name
from awaken.kit.search import mentions_in, modules_with, nodes_with, uses_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import session_classes, twins
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.expressions.alternatives import conditions_passed
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import arguments_of, keyword_of, last_name, variable_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine

FACTORIES = frozenset({"sqlalchemy.orm.sessionmaker"})
SESSION = "sqlalchemy.orm.Session"
SESSION_OF_OBJECT = "sqlalchemy.orm.object_session"
"""What finds the session of an object: in a listener that is the synchronous one."""
_ENGINE = "sqlalchemy.Engine"
_LARGE_NUMBERS = (
    "a number that its column cannot hold raises `DataError`, but finds no row with psycopg2"
)
NAMES = frozenset(name for name in twins().names if name.startswith(("sqlalchemy.", "sqlmodel.")))
_KEPT_CLIENTS = "a test whose client reaches `{}` fails: its requests run in other event loops"


def libraries_given(
    project: Project, module: Module, made: ast.Call
) -> Iterator[tuple[str, Place]]:
    """Yield what each library is said to get that is given the engine of ``made``, and where."""
    variable = variable_of(module.parent(made))
    words = () if variable is None else (variable.id.encode(),)
    for home, call in nodes_with(project, words, ast.Call) if words else ():
        for argument in arguments_of(call):
            engine, what = argument, "an asynchronous engine"
            if isinstance(argument, ast.Attribute) and argument.attr == "url":
                engine, what = argument.value, f"the URL of {what}"
            if (
                last_name(engine).encode() in words
                and _is_made(project, home, engine, module, made)
                and _is_of_library(project, home, call)
            ):
                shown = f"{home.path} gives `{home.excerpt(call.func)}` {what}"
                yield f"{shown}, which it may not support", home.place(call)


def _is_made(
    project: Project, home: Module, given: ast.expr, module: Module, made: ast.Call
) -> bool:
    """Whether ``given`` is the engine that ``made`` makes, in the same file or in another."""
    if home is module and home.scopes.only_value(given) is made:
        return True
    name = project.qualified_name(home, given)
    return name is not None and name == f"{module.name}.{last_name(given)}"


def _is_of_library(project: Project, home: Module, call: ast.Call) -> bool:
    """Whether a call is of a library of which nothing tells that it takes such an engine."""
    name, handed = project.qualified_name(home, call.func), twins().handed
    if name is None and isinstance(call.func, ast.Attribute):
        classes = project.instance_of(home, call.func.value)
        name = f"{classes[0]}.{call.func.attr}" if classes else None
    known = {*handed.sending, *handed.inspecting}
    if name is None or not known.isdisjoint({name, last_name(call.func)}):
        return False
    parts = name.split(".")
    if parts[0] in {*sys.stdlib_module_names, "builtins", *handed.harmless, *handed.taking}:
        return False
    names = (".".join(parts[: n + 1]) for n in range(len(parts)))
    return all(project.layout.find(each, home.path).path is None for each in names)


def resource_sites(project: Project, rule: str) -> Iterator[tuple[Site[ast.expr], str]]:
    """Yield each name of a synchronous session, factory or engine, with what it names.

    A factory that is written as a type names a session.
    """
    blocking, helpers = BlockingEngines(project), Helpers(project)
    of_libraries = list(_of_libraries(project))
    of_program = (*_of_factories(project, of_libraries), *_of_heirs(project, of_libraries))
    for module, result, qualified in (*of_libraries, *of_program):
        node = _unquoted_node(module, result)
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        if blocking.is_made_at(module, result) or helpers.hold(module, result):
            continue
        # Events are those of the synchronous class.
        is_declared = isinstance(module.parent(result), ast.arg)
        if is_declared and (
            is_in_condition(project, module, result) or is_called_by_events(project, module, result)
        ):
            continue
        written = result if isinstance(result, ast.expr) else node
        above = module.parent(written)
        if qualified == _ENGINE and _is_wrapped(project, module, module.call_of(written)):
            continue
        if listened_to(project, module, above) is written:
            continue
        # `real_commit = Session.commit` is for what a test puts in its place.
        is_method = isinstance(above, ast.Attribute) and module.call_of(above) is None
        if is_method and qualified in session_classes() and is_around_tests(module.path):
            continue
        if qualified != SESSION_OF_OBJECT or not is_called_by_events(project, module, node):
            yield Site(rule, module, written), qualified


def _is_wrapped(project: Project, module: Module, engine: ast.Call | None) -> bool:
    """Whether ``engine``, which is made of a pool, has no other use than `AsyncEngine(engine)`."""
    variable = None if engine is None else module.variable_of(engine)
    uses = [engine] if variable is None else module.scopes.reads_of(variable)
    calls = [module.call_taking(use) for use in uses if use is not None]
    return bool(calls) and all(
        call is not None and project.qualified_name(module, call.func) == twins().names[_ENGINE]
        for call in calls
    )


def _of_libraries(project: Project) -> Iterator[tuple[Module, ast.AST, str]]:
    """Yield what names something that has a twin, with the name that this has in its library."""
    spellings = project.spellings_of(NAMES)
    for module in modules_with(project, [name.encode() for name in spellings]):
        for result in mentions_in(project, module, spellings):
            qualified = _qualified_name(project, module, result)
            if qualified in NAMES and not is_of_alembic(module):
                yield module, result, qualified


def _of_factories(
    project: Project, of_libraries: Iterable[tuple[Module, ast.AST, str]]
) -> Iterator[tuple[Module, ast.AST, str]]:
    """Yield annotations that name a factory of the program, ``db: SessionLocal``, as sessions."""
    for home, result, qualified in of_libraries:
        call = home.parent(result)
        statement = home.parent(call) if isinstance(call, ast.Call) else None
        variable = variable_of(statement)
        if qualified not in FACTORIES or variable is None or statement not in home.tree.body:
            continue
        factory = f"{home.name}.{variable.id}"
        spellings = sorted(project.spellings(factory))
        for module in modules_with(project, [spelling.encode() for spelling in spellings]):
            for node in mentions_in(project, module, spellings):
                if (
                    _is_annotation(module, node)
                    and _qualified_name(project, module, node) == factory
                ):
                    yield module, node, SESSION


def _of_heirs(
    project: Project, of_libraries: Iterable[tuple[Module, ast.AST, str]]
) -> Iterator[tuple[Module, ast.AST, str]]:
    """Yield the calls of classes that inherit from a factory, with the name of the class."""
    for home, result, qualified in of_libraries:
        heir = _heir_of(home, result) if qualified in FACTORIES else None
        named = "" if heir is None else f"{home.name}.{heir.name}"
        for module, node in uses_of(project, {named}) if named else ():
            if module.call_of(node) is not None:
                yield module, node, named


_POOL = "poolclass"


def _heir_of(module: Module, node: ast.AST) -> ast.ClassDef | None:
    """Return the class with the base ``node``: ``sessionmaker``, also with its type argument."""
    above = module.parent(node)
    base = above if isinstance(above, ast.Subscript) and above.value is node else node
    heir = module.parent(base)
    return heir if isinstance(heir, ast.ClassDef) and base in heir.bases else None


def _pools_of(module: Module, engine: Engine) -> Iterator[ast.expr]:
    """Yield the classes of the pool that a call names, or the only dictionary that it unpacks."""
    yield from (value for name, value in engine.options.items() if name == _POOL)
    options = engine.unpacked_mappings[0] if len(engine.unpacked_mappings) == 1 else None
    reads = module.scopes.reads_of(options) if isinstance(options, ast.Name) else []
    uses = [module.parent(read) for read in reads]
    # Another call may make an engine that stays synchronous.
    if sum(isinstance(use, ast.keyword) for use in uses) > 1:
        return
    parts = [options, *(binding.value for binding in module.scopes.bindings_of(options))]
    parts += [module.method_call_on(read) for read in reads]
    for node in (node for part in parts if part is not None for node in module.walk(part)):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from (value for key, value in pairs if _is_pool(key))
        elif isinstance(node, ast.keyword) and node.arg == _POOL:
            yield node.value
    for use in uses:
        if isinstance(use, ast.Subscript) and _is_pool(use.slice):
            statement = module.parent(use)
            yield from [statement.value] if isinstance(statement, ast.Assign) else []


def _texts_elsewhere(module: Module, call: ast.Call, edits: Sequence[Edit]) -> Iterator[Place]:
    """Yield the changed texts that are not in a call, such as that of its URL."""
    for edit in edits:
        if isinstance(edit, TextEdit) and not module.span(call).contains(edit.anchor):
            yield Place(edit.path, edit.anchor, "names the driver")


def _is_pool(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == _POOL


def _only_inherits(project: Project, module: Module, heir: ast.ClassDef) -> bool:
    """Whether a class has nothing of its own, and is only called, with visible arguments."""
    extras = (*heir.bases[1:], *heir.keywords, *heir.decorator_list)
    for part in heir.body:
        match part:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
        return False
    calls = [home.call_of(use) for home, use in uses_of(project, {f"{module.name}.{heir.name}"})]
    are_seen = all(call and all(part.arg for part in call.keywords) for call in calls)
    return are_seen and not extras and module.parent(heir) is module.tree


def _qualified_name(project: Project, module: Module, found: ast.AST) -> str | None:
    node = _unquoted_node(module, found)
    is_name = isinstance(node, ast.Name | ast.Attribute)
    return project.qualified_name(module, node) if is_name else None  # type: ignore[arg-type]


def _unquoted_node(module: Module, node: ast.AST) -> ast.AST | None:
    """Return what an annotation names in quotes: ``db: "Session"``."""
    if not isinstance(node, ast.Constant):
        return node
    return module.parse_string(node) if _is_annotation(module, node) else None


def _is_annotation(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is a type, or a part of one."""
    above: ast.AST | None = node
    while above is not None:
        inner, above = above, module.parent(above)
        match above:
            case ast.arg() | ast.AnnAssign(annotation=ast.expr()):
                return getattr(above, "annotation", None) is inner
            case ast.FunctionDef(returns=returned) | ast.AsyncFunctionDef(returns=returned):
                return returned is inner
            case ast.Subscript() | ast.BinOp() | ast.Tuple():
                continue
            case ast.Assign():  # an alias: DatabaseSession = Annotated[...]
                return isinstance(inner, ast.Subscript) and last_name(inner.value) == "Annotated"
        return False
    return False


def listening(project: Project, rule: str) -> Iterator[Member]:
    """Yield the rewrites of listeners on engines: events are those of synchronous ones."""
    for module, node, target in listening_calls(project):
        if project.instance_of(module, target) == ("sqlalchemy.Engine",):
            site: Site[ast.AST] = Site(rule, module, node)
            shown = f"`{module.excerpt(target)}`"
            message = f"the listener moves to the synchronous engine of {shown}"
            edits = [site.insert_behind(target, ".sync_engine")]
            yield Member(site, Rewrite(message, edits), shown)
    yield from _adapted_connections(project, rule)


def _adapted_connections(project: Project, rule: str) -> Iterator[Member]:
    """Yield the checks of listeners for a connection of the driver: they get an adapter of it."""
    adapters = library_names().adapted_connections
    words = [name.partition(".")[0].encode() for name in adapters]
    for module, node in nodes_with(project, words, ast.Call):
        match node.args:
            case [_, ast.Name() | ast.Attribute() as checked] if (
                module.scopes.builtin_called(node) == "isinstance"
                and (adapter := adapters.get(project.qualified_name(module, checked) or ""))
                and is_called_by_events(project, module, node)
            ):
                package, _, name = adapter.rpartition(".")
                site: Site[ast.AST] = Site(rule, module, node)
                written, needed = imported_name(site, package, name, node)
                text = f"({module.text_of(checked)}, {written})"
                edits: list[Edit] = [site.replace(checked, text), needed]
                message = f"the listener knows the connections of `{adapter}`"
                yield Member(site, Rewrite(message, edits), f"`{module.excerpt(node)}`")


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
        self._engines = {(item.module.path, item.module.span(item.call)): item for item in engines}
        self.drivers = urls.drivers(engines)
        running = urls.drivers([item for item in engines if not is_test_file(item.module.path)])
        self._in_tests = [item for item in self.drivers.values() if item not in running.values()]
        has_any = any(driver.loop_bound for driver in self.drivers.values())
        self.is_loop_bound = bool(engines) and has_any
        self._of_tests = [item for item in engines if is_test_file(item.module.path)]
        self._differences: list[str] = []

    def can_keep_clients(self) -> bool:
        """Whether all engines of tests have connections that work in any loop, and there are any.

        A client that is synchronous runs the application in a loop of its own.
        """
        return bool(self._of_tests) and all(map(self._urls.works_in_any_loop, self._of_tests))

    def keep_clients(self) -> None:
        """Leave the clients of tests synchronous, and announce which tests fail with them."""
        bound = sorted({item.distribution for item in self.drivers.values() if item.loop_bound})
        self._differences += [_KEPT_CLIENTS.format(name) for name in bound]
        self.is_loop_bound = False

    def rewritten(self, site: Site[ast.expr], qualified: str) -> Rewrite:
        """Return the rewrite of a name of the synchronous side. Raises Refused."""
        module, node = site.module, site.node
        above, heir = module.parent(node), _heir_of(module, node)
        if heir is not None:
            is_plain = qualified in FACTORIES and _only_inherits(self._project, module, heir)
            if not is_plain:
                raise Refused(reasons.OWN_SESSION_CLASS, heir.name)
        if qualified == _ENGINE and module.call_of(node) is not None:
            raise Refused(reasons.NO_TWIN, f"{module.text_of(node)}(...)")
        if qualified in twins().names:
            written, edits = write_twin(self._project, site, node, qualified)
            message = f"`{module.text_of(node)}` becomes `{written}`"
        else:
            message, edits = f"`{module.text_of(node)}` makes asynchronous sessions", list[Edit]()
            (qualified,) = FACTORIES
        caveats, places = list[str](), tuple[Place, ...]()
        if isinstance(above, ast.Call) and above.func is node:
            self._check_class(module, above, qualified)
            self._check_doubles(module, node, qualified)
            edits += self._arguments(site, above, qualified)
            caveats, places = self._caveats(module, above, qualified)
            places = (*places, *_texts_elsewhere(module, above, edits))
        return Rewrite(message, edits, caveats, places)

    def _check_class(self, module: Module, call: ast.Call, qualified: str) -> None:
        """Raise Refused where a factory makes sessions of a class of its own."""
        # Until SQLAlchemy 2.0 the class may follow the engine.
        given = [*call.args[1:2], *(node.value for node in call.keywords if node.arg == "class_")]
        for argument in given if qualified in FACTORIES else ():
            if self._project.qualified_name(module, argument) not in session_classes():
                raise Refused(reasons.OWN_SESSION_CLASS, module.excerpt(argument))

    def _check_doubles(self, module: Module, node: ast.expr, qualified: str) -> None:
        """Raise Refused where a test replaces a function that nothing calls any more.

        ``doubles`` writes the fakes of session classes.
        """
        if qualified in session_classes():
            return
        replaced = self._project.replaced_names.replacements_of(module, node)
        if replaced:
            twin = twins().names[qualified].rpartition(".")[2]
            why = f"a test replaces `{module.text_of(node)}`, but the new program calls `{twin}`"
            because = tuple(dict.fromkeys(replacement.place for replacement in replaced))
            raise Refused(reasons.REPLACED_RESOURCE, why, because=because)

    def _caveats(
        self, module: Module, call: ast.Call, qualified: str
    ) -> tuple[list[str], tuple[Place, ...]]:
        if qualified == SESSION_OF_OBJECT:
            return [], ()
        if qualified in FACTORIES | session_classes():
            stale = "objects keep their values after a commit"
            said, places = self._kept_state
            return [stale, *said, *self._foreign.caveats], places
        engine = self._engines.get((module.path, module.span(call)))
        url = None if engine is None else self._project.orm.engines.url_of(engine)
        said = [text for item in self.drivers.values() for text in item.differences(engine, url)]
        if engine not in self._of_tests:
            said += self._differences
        if engine is not None and self._urls.leaves_types(engine):
            said.append(_LARGE_NUMBERS)
        given = dict(libraries_given(self._project, module, call))
        return [*said, *given], tuple(given.values())

    @cached_property
    def _kept_state(self) -> tuple[list[str], tuple[Place, ...]]:
        return caveats_of_kept_state(self._project)

    def _arguments(self, site: Site[ast.expr], call: ast.Call, qualified: str) -> Iterator[Edit]:
        engine = self._engines.get((site.module.path, site.module.span(call)))
        if engine is not None:
            is_handed_on = self._rows_refer and self._urls.sends_rows_together(engine)
            yield from self._urls.edits(site, engine, self.drivers, is_rewritten=is_handed_on)
            yield from self._urls.tasks_for_users(site.id, engine, self.drivers)
            check_versions(self._project, self.drivers.values())
            version = self._urls.first_version(self._engines.values())
            chosen = self.drivers.values()
            yield from requirements(self._project, site.id, chosen, self._in_tests, version)
            yield from self._pool(site, engine)
            if is_handed_on:
                function, edits = rows_helper(site)
                yield from (
                    *edits,
                    site.rewrite(engine.call, FORWARD, Forwarded(function)),
                )
        given = {keyword.arg for keyword in call.keywords}
        if qualified in FACTORIES | session_classes():
            yield from self._bind(site, call)
        if qualified in FACTORIES | session_classes() and "expire_on_commit" not in given:
            yield site.add_keyword(call, "expire_on_commit", "False")
        if qualified == "sqlalchemy.orm.scoped_session" and len(call.args) + len(given) == 1:
            self._check_removed(site.module, call)
            yield site.add_keyword(call, "scopefunc", "asyncio.current_task")
            yield import_of_asyncio(self._project, site)

    def _bind(self, site: Site[ast.expr], call: ast.Call) -> Iterator[Edit]:
        """Yield the edit of ``session.get_bind()``, which gives the synchronous engine."""
        module = site.module
        bind = keyword_of(call, "bind") or next(iter(call.args), None)
        match bind and (module.scopes.only_value(bind) or bind):
            case ast.Call(func=ast.Attribute(value=session, attr="get_bind"), args=[]) as asked if (
                isinstance(self._project.orm.session_of(module, session), SessionProof)
            ):
                yield site.replace(asked, f"{module.text_of(session)}.bind")

    def _check_removed(self, module: Module, call: ast.Call) -> None:
        """Raise Refused where a registry would keep the sessions of requests forever."""
        name = last_name(variable_of(module.parent(call)))
        place = never_removed(self._project, f"{module.name}.{name}") if name else None
        if place is not None:
            raise Refused(reasons.NEVER_REMOVED, name, because=(place,))

    def _pool(self, site: Site[ast.expr], engine: Engine) -> Iterator[Edit]:
        """Yield what gives an engine the pool for asynchronous ones. Raises Refused."""
        pools = [*_pools_of(site.module, engine)]
        if not pools and self._needs_queue(site.module, engine):
            package, _, name = twins().pools["sqlalchemy.pool.QueuePool"].rpartition(".")
            written, needed = imported_name(site, package, name, site.node)
            yield from (site.add_keyword(engine.call, _POOL, written), needed)
        for pool in pools:
            qualified = self._project.qualified_name(site.module, pool)
            if qualified in twins().pools:
                yield from replace_name(self._project, site, pool, twins().pools[qualified])[1]

    def _needs_queue(self, module: Module, engine: Engine) -> bool:
        """Whether a file of SQLite needs the pool by name: it is aiosqlite's since 2.0.38.

        Before, no connection is kept, and so no database in memory, and no option of a pool is
        taken. A call in a condition is for some of the URLs.
        """
        url = self._project.orm.engines.url_of(engine)
        texts = () if url is None else url.texts
        if any(text.is_shared_memory for text in texts):
            return True
        if engine.options.keys().isdisjoint(twins().queued) or any(
            any(conditions_passed(above, below)) for below, above in module.steps_up(engine.call)
        ):
            return False
        is_file = any(t.text.startswith("sqlite") and not t.is_in_memory for t in texts)
        return is_file and not self._project.targets.guarantees("sqlalchemy", ">=2.0.38")
