"""Environments of Alembic that get their engine from a program which becomes asynchronous.

Code of the program that runs Alembic, where the Alembic environment runs an event loop.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.added_functions import synchronous_url_helper
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import (
    Reach,
    begins_process,
    is_call_of,
)
from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import shared_resources
from awaken.codemods.sqlalchemy.session_to_async.find.idle import mentions_of
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import targets
from awaken.codemods.sqlalchemy.session_to_async.payload import MIGRATE, Migrating
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import is_script
from awaken.codemods.sqlalchemy.session_to_async.statements.script_writing import (
    blank_lines_below,
    lines_above,
)
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module
from awaken.kit.names_here import value_behind
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_environment, is_of_alembic
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name, variable_of
from awaken.project.values.domain import InstanceOf, Producer, Session, Value

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine

_SET_OPTION = "set_main_option"
_OWN_ENGINE = (
    "Give Alembic its own engine: `engine_from_config(...)` with a synchronous driver. Or run "
    "Alembic with `asyncio.to_thread(...)`."
)
_WAITING = "an event loop waits while Alembic runs in it"
_PLAIN_OPTIONS = ("echo", "future", "max_overflow", "pool_")
"""What options of an engine begin with that say nothing of what its connections do."""
_OF_THREADS = "check_same_thread"
_SAME = {"dialect", "echo", "name"}
"""Attributes of an engine that say the same of the database by an asynchronous one."""


class Given(NamedTuple):
    """An expression that is, or may be, an engine, a connection or a session of the program's.

    ``sources`` are the places of the functions that give it, or of what a file defines.
    """

    node: ast.expr
    sources: tuple[Place, ...]


def given_in(project: Project, module: Module) -> Iterator[Given]:
    """Yield what a file of Alembic gets from the rest of the program."""
    for node in module.walk():
        if isinstance(node, ast.Call) or (
            isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
        ):
            sources = _sources(project, module, node)
            values = () if sources is None else project.values.of(module, node).alternatives
            if sources is not None and any(map(_is_resource, values)):
                yield Given(node, sources)


def urls_for_alembic(project: Project) -> Iterator[tuple[Module, Given]]:
    """Yield the engines whose URLs the program sets in configurations of Alembic."""
    for module, call in nodes_with(project, (_SET_OPTION.encode(),), ast.Call, revisions=False):
        if last_name(call.func) != _SET_OPTION:
            continue
        for node in module.walk(call):
            if isinstance(node, ast.Attribute) and node.attr == "url":
                values = project.values.of(module, node.value).alternatives
                if any(map(_is_resource, values)):
                    sources = _sources(project, module, node.value)
                    yield module, Given(node.value, sources or (module.place(node.value),))


def _sources(project: Project, module: Module, node: ast.expr) -> tuple[Place, ...] | None:
    """Return the definitions in other files that a call or a name uses; None if there are none.

    Empty where it is of another file, and more than one thing there may be meant.
    """
    if isinstance(node, ast.Call):
        called = project.calls.known_functions(module, node)
        return tuple(home.place(each) for home, each in called if home.path != module.path) or None
    name = project.qualified_name(module, node)
    if name is None:
        return _sources(project, module, node.value) if isinstance(node, ast.Attribute) else None
    while name:
        place = project.definition(name)
        if place is not None:
            return None if place.path == module.path else (Place(place.path, place.span),)
        path = project.layout.find(name, module.path).path
        if path is not None:
            return None if path == module.path else ()
        name = name.rpartition(".")[0]
    return None


def _is_resource(value: Value) -> bool:
    match value:
        case Session(kind=kind):
            return kind in BLOCKING_SESSIONS
        case InstanceOf(qualified=qualified):
            return qualified in library_names().engines
        case Producer(how=how, inner=inner):
            return how != "callable" and any(map(_is_resource, inner))
    return False


class Commands:
    """Finds them in one program, with the functions in it that become asynchronous."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._reach = Reach(part.project, part.entry_points)

    @cached_property
    def in_loop(self) -> Place | None:
        """A place that runs Alembic where an event loop may run already; None if there is none."""
        return next((place for place, where in self._found_pairs if where == "loop"), None)

    @cached_property
    def in_thread(self) -> Place | None:
        """A place that runs it in a thread next to the event loop; None if there is none."""
        return next((place for place, where in self._found_pairs if where == "thread"), None)

    # ------------------------------------------------------------------------------------- parts
    @cached_property
    def _found_pairs(self) -> list[tuple[Place, str]]:
        return [
            (module.place(node), self._where(module, node))
            for module in modules_with(self._project, (b"alembic",))
            for node in self._mentions(module)
        ]

    def _mentions(self, module: Module) -> Iterator[ast.expr]:
        """Yield where a file names what runs Alembic."""
        known = boundaries().migrations
        for node in module.walk():
            if isinstance(node, ast.Name | ast.Attribute):
                name = self._project.qualified_name(module, node) or ""
                is_whole = not isinstance(module.parent(node), ast.Attribute)
                if is_whole and any(name == word or name.startswith(f"{word}.") for word in known):
                    yield node

    def _where(self, module: Module, node: ast.expr) -> str:
        """Return where Alembic runs: in a ``thread``, may be in the ``loop``, or in neither."""
        if module.call_of(node) is None:
            return "thread" if self._is_in_thread(module, node) else "loop"
        function = self._part.function_around(module, node)
        if self._may_be_in_loop(module, node, function):
            return "loop"
        if is_test_file(module.path) or function.start < 0:
            return ""
        if self._reach.outside_of_processes(function) is None:
            return ""
        name = f"{module.name}.{function.qualname}"
        mentions = [*mentions_of(self._project, [], [name])]
        is_apart = bool(mentions) and all(
            self._is_in_thread(mention.module, mention.node) for mention in mentions
        )
        return "thread" if is_apart else "loop"

    def _may_be_in_loop(self, module: Module, node: ast.expr, function: FunctionPlace) -> bool:
        """Whether coroutine functions call the function at ``node``, or a server imports it."""
        if function.start < 0:
            return not self._is_at_beginning(module, node)
        graph = self._project.calls.graph()
        reaching = {function, *graph.reaching([function])}
        return any(map(self._part.ends_as_coroutine, reaching)) or not all(
            self._is_at_beginning(*result)
            for candidate in reaching
            for call in graph.callers(candidate)
            if call.caller.start < 0
            for result in self._project.calls_at(call.place)
        )

    def _is_at_beginning(self, module: Module, node: ast.expr) -> bool:
        is_alone = is_test_file(module.path) or is_script(self._project, module)
        return is_alone or begins_process(module, node)

    def _is_in_thread(self, module: Module, node: ast.expr) -> bool:
        call = module.parent(node)
        if not isinstance(call, ast.Call) or node not in call.args:
            return False
        return is_call_of(self._project, module, call, boundaries().in_threads)


class Environments:
    """Has what enters such an engine run the migrations by ``run_sync``.

    ``resources`` are the names of the synchronous side, each with what it names. Engines that join
    nobody stay as they are for Alembic. ``former`` are the drivers of the other engines' URLs, by
    those that they get; None where these do not tell.
    """

    def __init__(
        self,
        part: SynchronousPart,
        rule: str,
        resources: Sequence[tuple[Member, str]],
        former: Mapping[str, str] | None,
    ) -> None:
        self._part = part
        self._project = part.project
        self._rule = rule
        self._resources = resources
        self._former = former
        self._commands = Commands(part)

    def refusals(self) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the functions of Alembic's files that call what waits."""
        for module, function in self._project.with_modules(self._part.steps):
            if is_of_alembic(module):
                yield function, Refused(reasons.IN_MIGRATIONS, function.qualname)

    def linked_members(self) -> list[Member]:
        """Return the rewrites of all that Alembic is given, if it is known which code gives it."""
        return [member for member in self._members if member.along]

    def everywhere(self) -> list[Member]:
        """Return what is refused wherever it comes from."""
        return [member for member in self._members if not member.along]

    @cached_property
    def _members(self) -> list[Member]:
        pairs = [
            (module, given)
            for module in modules_with(self._project, (b"alembic", b"down_revision"))
            if is_of_alembic(module)
            for given in given_in(self._project, module)
            if not self._is_kept(module, given)
        ]
        pairs += urls_for_alembic(self._project)
        return [member for pair in pairs for member in self._members_of(*pair)]

    def _is_kept(self, module: Module, given: Given) -> bool:
        if isinstance(given.node, ast.Call):
            return False
        return self._project.qualified_name(module, given.node) in self._shared_names

    @cached_property
    def _shared_names(self) -> Collection[str]:
        sites = ((member.site, name) for member, name in self._resources)
        return shared_resources(self._project, sites)  # type: ignore[arg-type]

    def _members_of(self, module: Module, given: Given) -> Iterator[Member]:
        blocks = entering(module, given.node) if is_environment(module) else None
        shown = f"`{module.excerpt(given.node)}`"
        above = module.parent(given.node)
        if not blocks and isinstance(above, ast.Attribute):
            if is_told_alike(module, above):
                return
            if above.attr == "url" and self._former is not None:
                yield from self._of_url(module, above, given)
                return
        for block in blocks or ():
            site: Site[ast.AST] = Site(self._rule, module, block.block)
            outcome = outcome_of(self._written_rewrite, site, block, given)
            if isinstance(outcome, Refused):
                outcome = self._own_engine(site, block, given) or outcome
            yield Member(site, outcome, shown, given.sources)
        if not blocks:
            whole = above if isinstance(above, ast.Attribute) else given.node
            why = Refused(reasons.IN_MIGRATIONS, module.excerpt(whole))
            yield Member(Site(self._rule, module, given.node), why, shown, given.sources)

    def _of_url(self, module: Module, url: ast.Attribute, given: Given) -> Iterator[Member]:
        """Yield how the URL of an engine names a synchronous driver for Alembic, as it did."""
        former = self._former or {}
        if former:
            site: Site[ast.AST] = Site(self._rule, module, given.node)
            pairs = ", ".join(f'"{driver}": "{former[driver]}"' for driver in sorted(former))
            function, edits = synchronous_url_helper(site, f"{{{pairs}}}")
            edits += [site.insert_before(url, f"{function}("), site.insert_behind(url, ")")]
            shown = f"`{module.excerpt(url)}`"
            outcome = Rewrite(f"{shown} keeps a synchronous driver for Alembic", edits)
            yield Member(site, outcome, shown, given.sources)

    def _written_rewrite(self, site: Site[ast.AST], entering: Entering, given: Given) -> Rewrite:
        """Return how the connection is entered in a loop. Raises Refused."""
        module, block = site.module, entering.block
        self._check(module, given)
        annotation, imports = self._annotation(site)
        fresh = module.scopes.fresh_name
        # A comment above tells of what follows.
        is_told = lines_above(module, block)[-1].strip().startswith(b"#")
        apart = 2 if module.enclosing_function(block) is None else 1
        data = Migrating(
            name=fresh("do_run_migrations", "run_on_connection"),
            parameter=f"{entering.connection}{annotation}",
            coroutine=fresh("run_async_migrations", "run_migrations_in_loop"),
            engine=entering.engine or fresh("connectable", "async_engine"),
            made="" if entering.engine else module.text_of(entering.given),
            entered=entering.method,
            connection=entering.connection,
            above=0 if is_told else max(apart - blank_lines_below(lines_above(module, block)), 0),
            blank_lines=apart,
        )
        written = site.rewrite(block, MIGRATE, data)
        edits: list[Edit] = [written, import_of_asyncio(self._project, site), *imports]
        edits += [site.remove_statement(disposal) for disposal in entering.disposals]
        shown = f"`{module.excerpt(block.items[0].context_expr)}`"
        message = f"{shown} runs in an event loop, and `run_sync` runs the migrations"
        return Rewrite(message, edits, related=tuple(map(module.place, entering.disposals)))

    def _own_engine(self, site: Site[ast.AST], entering: Entering, given: Given) -> Rewrite | None:
        """Return how Alembic gets a synchronous engine, which needs no event loop of its own.

        None where it may not do for Alembic what the other one does.
        """
        module, former = site.module, self._former
        engines = [*self._engines_in_files(given)]
        if former is None or not engines or not all(map(self._may_be_repeated, engines)):
            return None
        names, edits = [], list[Edit]()
        for name in ("sqlalchemy.create_engine", "sqlalchemy.pool.NullPool"):
            written, imports = name_from_same_module(self._project, site, None, name)
            names.append(written)
            edits += imports
        url = f"{module.text_of(given.node)}.url"
        if former:
            pairs = ", ".join(f'"{driver}": "{former[driver]}"' for driver in sorted(former))
            function, helper = synchronous_url_helper(site, f"{{{pairs}}}")
            url, edits = f"{function}({url})", [*edits, *helper]
        made = f"{names[0]}({url}, poolclass={names[1]})"
        if entering.engine is None:
            holder = module.scopes.fresh_name("connectable")
            place = module.place(entering.block)
            edits.append(site.insert_statements(place, "before", f"{holder} = {made}\n"))
            made = holder
        edits.append(site.replace(given.node, made))
        shown = f"`{module.excerpt(given.node)}`"
        message = f"Alembic gets a synchronous engine with the URL of {shown}"
        return Rewrite(message, edits, [_WAITING])

    def _engines_in_files(self, given: Given) -> Iterator[Engine]:
        """Yield the engines that the files make from which Alembic gets one."""
        for path in sorted({place.path for place in given.sources}):
            module = self._project.module(path)
            yield from () if module is None else self._project.orm.engines.in_file(module)

    def _may_be_repeated(self, engine: Engine) -> bool:
        """Whether a new engine with the same URL does the same as ``engine``."""
        options = {
            name: value
            for name, value in engine.options.items()
            if not name.startswith(_PLAIN_OPTIONS) and name != "url"
        }
        given = options.pop("connect_args", None)
        return (
            not (options or engine.configured or engine.unpacked_mappings or self._is_listened)
            and not self._project.orm.engines.is_in_memory(engine)
            and (given is None or _says_threads(engine.module, given))
        )

    @cached_property
    def _is_listened(self) -> bool:
        resource_of = self._project.orm.resource_of
        return any(resource_of(*target) == "engine" for target in targets(self._project))

    def _annotation(self, site: Site[ast.AST]) -> tuple[str, list[Edit]]:
        try:
            name, imports = name_from_same_module(
                self._project, site, None, "sqlalchemy.Connection"
            )
        except Refused:
            return "", []
        return f": {name}", imports

    def _check(self, module: Module, given: Given) -> None:
        """Raise Refused if Alembic may run in the event loop, or in parallel on its connections."""
        place = self._commands.in_loop
        if place is not None:
            shown = module.excerpt(given.node)
            raise Refused(reasons.IN_MIGRATIONS, shown, help=_OWN_ENGINE, because=(place,))
        place = self._commands.in_thread
        if place is not None and not self._is_new(given):
            shown = module.excerpt(given.node)
            raise Refused(reasons.IN_THREAD, shown, because=(place,))

    def _is_new(self, given: Given) -> bool:
        """Whether the functions that give an engine make one each time they are called."""
        for place in given.sources:
            module = self._project.module(place.path)
            node = None if module is None else module.function_at(place.span.start)
            if module is None or node is None or not self._makes_one(module, node):
                return False
        return bool(given.sources)

    def _makes_one(self, module: Module, function: Function) -> bool:
        made = [value_behind(module, value) for value in module.returned_by(function)]
        engines = [engine.call for engine in self._project.orm.engines.in_file(module)]
        return bool(made) and not function.decorator_list and all(node in engines for node in made)


def _says_threads(module: Module, node: ast.expr) -> bool:
    """Whether arguments of connections only say which threads may use them."""
    value = value_behind(module, node)
    branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    return all(
        isinstance(branch, ast.Dict)
        and all(isinstance(key, ast.Constant) and key.value == _OF_THREADS for key in branch.keys)
        for branch in branches
    )


# ----------------------------------------------------------------------------------------- entering
_OF_URL = {"database", "get_backend_name", "host", "password", "port", "query", "username"}
"""What a URL tells without its driver."""


class Entering(NamedTuple):
    """A ``with`` statement that enters a connection of an engine, and where it gets the engine.

    ``engine`` is the variable that holds it, None where ``given`` is in the statement itself.
    ``disposals`` are statements that close its connections.
    """

    block: ast.With
    method: str
    connection: str
    given: ast.expr
    engine: str | None
    disposals: tuple[ast.Expr, ...] = ()


def entering(module: Module, given: ast.expr) -> list[Entering] | None:
    """Return all blocks that enter connections of an engine; None if more is done with it."""
    holder = _holder(module, given)
    if holder is None:
        result = _entered_block(module, given, given, None)
        return None if result is None else [result]
    blocks: list[Entering] = []
    disposals: list[ast.Expr] = []
    for read in module.scopes.reads_of(holder):
        above = module.parent(read)
        disposal = _disposal(module, read)
        if disposal is not None:
            disposals.append(disposal)
        elif not (isinstance(above, ast.Attribute) and is_told_alike(module, above)):
            result = _entered_block(module, read, given, holder.id)
            if result is None:
                return None
            blocks.append(result)
    if not blocks:
        return None
    return [blocks[0]._replace(disposals=tuple(disposals)), *blocks[1:]]


def is_told_alike(module: Module, read: ast.Attribute) -> bool:
    """Whether an attribute of an engine says the same where the engine is asynchronous."""
    above = module.parent(read)
    is_part = isinstance(above, ast.Attribute) and above.attr in _OF_URL
    return read.attr in _SAME or (read.attr == "url" and is_part)


def _holder(module: Module, given: ast.expr) -> ast.Name | None:
    """Return the variable that is given an engine and nothing else."""
    name = variable_of(module.parent(given))
    return None if module.scopes.only_binding(name) is None else name


def _entered_block(
    module: Module, engine: ast.expr, given: ast.expr, name: str | None
) -> Entering | None:
    """Return the block of ``with engine.connect() as connection:`` that may become a function."""
    match [*islice(module.ancestors(engine), 4)]:
        case [
            ast.Attribute(attr=attr),
            ast.Call(args=[], keywords=[]),
            ast.withitem(optional_vars=ast.Name(id=connection)),
            ast.With(items=[_]) as found,
        ] if attr in twins().entered["engine"]:
            is_movable = not any(_leaves(module, found)) and not _is_seen(module, found)
            return Entering(found, attr, connection, given, name) if is_movable else None
    return None


def _disposal(module: Module, engine: ast.expr) -> ast.Expr | None:
    match [*islice(module.ancestors(engine), 3)]:
        case [ast.Attribute(attr="dispose"), ast.Call(args=[], keywords=[]), ast.Expr() as found]:
            # Something has to be left of its block.
            return found if len(module.block_of(found)) > 1 else None
    return None


def _leaves(module: Module, block: ast.With) -> Iterator[bool]:
    """Yield for each part of a block whether it leaves it, or waits, other than at its end."""
    around = module.enclosing_function(block)
    for node in module.walk(block):
        if module.enclosing_function(node) is not around:
            continue
        if isinstance(node, ast.Break | ast.Continue):
            loops = (one for one in module.ancestors(node) if isinstance(one, ast.For | ast.While))
            yield not any(block in module.ancestors(loop) for loop in loops)
        else:
            yield isinstance(
                node, ast.Return | ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal
            )


def _is_seen(module: Module, block: ast.With) -> bool:
    """Whether a name that the block binds is bound or read elsewhere, so that it has to stay."""
    inside = set(map(id, module.walk(block)))
    around = module.enclosing_function(block)
    scope = module.scopes.scope_of(block.body[0])
    for name, bindings in scope.bindings.items():
        own = [binding for binding in bindings if id(binding.node) in inside]
        if not own:
            continue
        if len(own) < len(bindings):
            return True
        if any(id(read) not in inside for read in module.scopes.reads_in(scope, name)):
            return True
    return isinstance(around, Function) and module.is_generator(around)
