"""Statements that wait when the file of an application is imported: its lifespan runs them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from textwrap import indent
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import schema_change
from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import (
    Application,
    application_starting,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import (
    ENCLOSE,
    POSTPONE,
    Postponed,
)
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import Region, Waiting, is_entered
from awaken.codemods.sqlalchemy.session_to_async.statements.script_writing import (
    Scripts,
    blank_lines_below,
    lines_above,
    names_kept,
    share_names,
)
from awaken.contract import Edit, Place, ReplaceStatements, Span
from awaken.kit.changes import Member
from awaken.kit.imports import name_from_same_module
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.search import (
    argument,
    imported_as,
    importers,
    modules_with,
    nodes_with,
    uses_of,
)
from awaken.kit.sites import Refused, Rewrite, Site, outcome_of
from awaken.kit.web.lifespans import lifespan_edits
from awaken.knowledge.asynchronous import twins
from awaken.project.graph.dispatch import Called
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import last_name, root_of
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

_INDENTED = "    "
_APART = 2
"""Blank lines around a function of a file."""
_DEFINING = {"class", "function", "import"}
_FUNCTION = "prepare_database"
_HANDLER = "on_startup"
_SHARED = "conftest.py"
_TOLD_TOOLS = re.compile(rb"#\s*[\w-]+:")
"""A comment such as `# noqa: E402` or `# fmt: off`."""
_BLANK_LINES = re.compile(rb"[^\n]*\n((?:[ \t\f\r]*\n)*)")
"""The end of a line, and the blank lines after it."""
_CREATES = "creates tables"
_LATER = "the application {} when it starts, not when the file is imported"


class _Fixture(NamedTuple):
    """A fixture that starts the application for the tests around a ``client`` that does not."""

    module: Module
    client: ast.Call

    @property
    def place(self) -> str:
        """The prefix of the paths of these tests."""
        return _tests_at(self.module)


class Starts:
    """The code of all files that applications run before they serve requests."""

    def __init__(self, part: SynchronousPart, rule: str) -> None:
        self.part, self.rule = part, rule
        self._parts: dict[Place, list[_Part]] = {}

    def add(self, application: Place, part: _Part) -> None:
        """Have the application that is made at a place run the code of one more file."""
        self._parts.setdefault(application, []).append(part)

    def members(self) -> Iterator[Member]:
        """Yield the rewrites of applications. A file comes after those that it imports."""
        for parts in self._parts.values():
            starts = [part.start for part in parts]
            parts.sort(key=lambda part: sum(map(part.start.imports, starts)))
            yield from starts[0].starting(parts)


class _Part(NamedTuple):
    """The code of one file, the functions of it that the code calls, and where it was.

    The names are qualified where the file of the application has to import them.
    """

    start: ApplicationStart
    code: str
    names: Sequence[str]
    along: tuple[Place, ...]


class ApplicationStart:
    """Has the lifespan of an application run what waits when its file is imported."""

    def __init__(self, starts: Starts, module: Module, waiting: Waiting) -> None:
        part = starts.part
        self._project = part.project
        self._is_loop_bound = part.is_loop_bound
        self._rule = starts.rule
        self.module = module
        self._waiting = waiting
        self._blocks = part.blocks_in(module)
        self._starts = starts
        pair = application_starting(part.project, module)
        self._home = module if pair is None else pair[0]
        self._application = None if pair is None else pair[1]
        self._is_own = self._home is module

    def regions(self) -> list[Region]:
        """Return the statements that wait, each by itself, if the application can run them.

        Those of its factory that share names are together. A statement under
        `if __name__ == "__main__"` does not count.
        """
        module = self.module
        nodes = [node for node in self._waiting.nodes() if not module.is_under_main(node)]
        places = [*map(module.place, nodes)]
        regions = [region for region in self._parts() if any(map(region.holds, places))]
        can_move = bool(regions) and self._application is not None and self._can_move(regions)
        return self._in_one_function(regions) if can_move else []

    def _in_one_function(self, regions: list[Region]) -> list[Region]:
        """Return the regions; if all that need functions follow one another, they need only one."""
        moving = [region for region in regions if not self._in_place(region)]
        if not moving or any(region.holder is not self.module.tree for region in moving):
            return regions
        joined = replace(moving[0], last=moving[-1].last)
        if len(joined.statements) > len(moving):
            return regions
        return [joined if item is moving[0] else item for item in regions if item not in moving[1:]]

    def _parts(self) -> Iterator[Region]:
        """Yield the statements that a file runs when it is imported, in parts that move alone."""
        module = self.module
        factory = self._application.outermost if self._application and self._is_own else None
        for index, statement in enumerate(module.tree.body):
            if self._blocks and statement is factory and isinstance(statement, ast.FunctionDef):
                for block in self._blocks:
                    yield Region(module, statement, block.first, block.last)
            else:
                yield Region(module, module.tree, index, index)

    def imports(self, other: ApplicationStart) -> bool:
        """Whether the file imports another one, so that it runs after it."""
        return self._project.web.imports.certain(self.module, other.module.path)

    def members(self, regions: list[Region], scripts: Scripts) -> Iterator[Member]:
        """Yield the rewrites of ``regions``, which the application then runs."""
        started, names, called = "", list[str](), list[str]()
        removed = [region for region in regions if self._in_place(region)]
        for region in regions:
            statement = region.statements[0]
            site: Site[ast.AST] = Site(self._rule, self.module, _call(statement) or statement)
            shown = f"`{self.module.excerpt(statement)}`"
            code = self._in_place(region)
            outcome: Rewrite | Refused
            if code:
                # A factory of which a function takes statements is written as a whole.
                moving = [item.holder for item in regions if item not in removed]
                is_whole = region.holder is not self.module.tree and region.holder in moving
                comment, edits = ("", []) if is_whole else self._lines_around(site, region)
                called += [] if self._is_own else [code.removeprefix("await ").removesuffix("()")]
                code = f"{comment}{code}"
                caveats = self._caveats(_what(statement, shown))
                edits.append(site.remove_statement(statement))
                outcome = Rewrite(f"{shown} moves into the lifespan", edits, caveats)
            else:
                stem = self.module.name.rpartition(".")[2]
                first = _FUNCTION if self._is_own else f"prepare_{stem}"
                later = [f"{first}_{len(names) + 1}"] if names else [first]
                name = self.module.scopes.fresh_name(*later)
                names.append(name)
                code = f"await {name}()"
                outcome = self._postpone(site, region, name, removed, scripts)
            started += f"{code}\n"
            yield Member(site, outcome, shown, tuple(map(self.module.place, region.statements)))
        if self._application is not None:
            along = tuple(self.module.place(region.statements[0]) for region in regions)
            home = "" if self._is_own else imported_as(self._project, self.module, self._home)
            used = [f"{home}.{name}".lstrip(".") for name in (*called, *names)]
            part = _Part(self, started, used, along)
            self._starts.add(self._home.place(self._application.call), part)

    def _caveats(self, done: str) -> list[str]:
        """Return what it changes that the application does something, as clauses."""
        known = {self._home.path, *self._project.web.imports.files_imported_by(self._home)}
        using = () if self._is_own else importers(self._project, self.module)
        paths = {other.path for other, _ in using if not is_around_tests(other.path)}
        left = [f"`{path}` no longer does so by an import" for path in sorted(paths - known)]
        return [_LATER.format(done), *left]

    def _lines_around(self, site: Site[ast.AST], region: Region) -> tuple[str, list[Edit]]:
        """Return the comment that is about one statement alone, and what takes its lines away.

        So go the blank lines that a factory would begin with.
        """
        module, text, statement = self.module, self.module.source.text, region.statements[0]
        above, end = lines_above(module, statement), module.span(statement).end
        lines = _comments_on(above, statement)
        others, start = above[: len(above) - len(lines)], len(b"".join(above))
        behind = text[end:].splitlines()[:2]
        is_apart = bool(others) and not others[-1].strip() and not b"".join(behind).strip()
        if not is_apart or any(map(_TOLD_TOOLS.search, lines)):
            lines = []
        gone = [*takewhile(lambda line: not line.strip(), reversed(others))]
        # No blank lines end a file. A statement takes those directly above it along.
        is_last = not (self._is_own or text[end:].strip())
        # In a factory, those below the statement stay between its neighbours.
        is_of_factory = isinstance(region.holder, ast.FunctionDef)
        spare = gone if lines and (is_last or is_of_factory) else []
        spans = [Span(start - len(b"".join([*lines, *spare])), start)]
        blank = _BLANK_LINES.match(text, end)
        if blank and region.first == 0 and is_of_factory:
            spans.append(Span(*blank.span(1)))
        edits: list[Edit] = [
            ReplaceStatements(path=module.path, anchor=span, text="", site=site.id)
            for span in spans
            if span.start < span.end
        ]
        return "".join(f"{line.decode().strip()}\n" for line in lines), edits

    def _can_move(self, regions: list[Region]) -> bool:
        """Whether each statement runs as well in a function: no other one reads what it binds."""
        own = [region for region in regions if region.holder is self.module.tree]
        moving = [region for region in regions if region not in own and not self._in_place(region)]
        statements = [statement for region in regions for statement in region.statements]
        started = tuple(fixture.place for fixture in self._fixtures)
        if not _is_started_by_tests(self._project, started) or self._is_used_by_tests(started):
            return False
        # The variables of a factory move with what uses them.
        if any(region.shares_a_line for region in regions) or not all(
            isinstance(region.statements[0], ast.Expr | ast.If | ast.Try | ast.With | ast.For)
            for region in own
        ):
            return False
        # The factory ran its own statements as often.
        starts_again = self._application is not None and self._application.starts_again
        if starts_again and not all(self._creates_tables(*region.statements) for region in own):
            return False
        if len(moving) > 1:
            return False
        try:
            if names_kept(self.module, statements):
                return False
        except Refused:
            return False
        is_apart = not share_names(self.module, regions)
        return is_apart and not any(map(self._reads_rebound, statements))

    def _is_used_by_tests(self, started: tuple[str, ...]) -> bool:
        """Whether tests that start no application need what the file does, and create no tables.

        Those that import it do. Of the application's own file, those that use the database do.
        """
        if self._is_own:
            tests = {function.path for function in self._starts.part.functions}
            started += tuple(_tests_at(module) for module in _modules_with_clients(self._project))
        else:
            tests = {module.path for module, _ in importers(self._project, self.module)}
        is_left = any(is_around_tests(path) and not path.startswith(started) for path in tests)
        return is_left and not _are_tables_of_tests(self._project)

    def _creates_tables(self, statement: ast.stmt) -> bool:
        """Whether a statement only creates tables that do not exist, so that it may run again."""
        call = _call(statement)
        called = None if call is None else self._project.calls.function_called(self.module, call)
        body = [statement] if not isinstance(called, Called) else called.function.body
        texts = [part for part in body if isinstance(getattr(part, "value", None), ast.Constant)]
        return all(part in texts or _what(part, "") == _CREATES for part in body)

    def _reads_rebound(self, statement: ast.stmt) -> bool:
        """Whether a statement reads a variable that the file sets again below it."""
        module, span = self.module, self.module.span(statement)
        for node in module.walk(statement):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
                continue
            bindings = [one for one in module.scopes.bindings_of(node) if one.kind not in _DEFINING]
            spans = [module.span(item.node) for item in bindings if item.scope.kind == "module"]
            # Names that the statement binds itself are its own.
            if not any(map(span.contains, spans)) and any(item.start > span.end for item in spans):
                return True
        return False

    def _in_place(self, region: Region) -> str:
        """Return the code of a statement in the lifespan; empty if it needs a function."""
        first, *others = region.statements
        call, span = None if others else _call(first), self.module.span(first)
        inside = [node for node in self._waiting.nodes() if span.contains(self.module.span(node))]
        if call is None or inside != [call]:
            return ""
        tables = self._changed_tables(region)
        if tables:
            return tables if self._is_own else ""
        # The application imports what its lifespan calls.
        is_here = self._is_own or (
            isinstance(call.func, ast.Name) and not (call.args or call.keywords)
        )
        is_awaited = call in self._waiting.calls and not is_entered(self.module, call)
        return f"await {self.module.text_of(call)}" if is_awaited and is_here else ""

    def _changed_tables(self, region: Region) -> str:
        """Return the code of a statement that creates or drops tables; empty for any other."""
        call = _call(region.statements[0])
        return next(
            (
                schema_change(self.module, call)
                for operation in self._waiting.operations
                if operation.node is call and call is not None
                if operation.how == "schema" and operation.resource == "engine"
            ),
            "",
        )

    def _postpone(
        self,
        site: Site[ast.AST],
        region: Region,
        name: str,
        removed: list[Region],
        scripts: Scripts,
    ) -> Rewrite | Refused:
        message = f"`{name}()` does this when the application starts"
        caveats = self._caveats(f"runs `{name}()`")
        changed = self._changed_tables(region)
        edits = [] if changed else outcome_of(scripts.edits_inside, site, region.statements)
        if isinstance(edits, Refused):
            return edits
        holder, (statement, *others) = region.holder, region.statements
        related = tuple(map(self.module.place, others))
        gone = {item.first for item in removed if item.holder is holder}
        is_of_factory = isinstance(holder, ast.FunctionDef)
        above, below = (_APART, 0) if is_of_factory else self._blank_lines(region, gone)
        if is_of_factory or others:
            whole = region.as_function(name, "", kept=(), blank_lines=above)
            data = replace(
                whole,
                before=whole.before - sum(index < region.first for index in gone),
                behind=whole.behind - sum(index > region.last for index in gone),
                blank_lines_below=below,
            )
            edits.append(site.rewrite(holder, ENCLOSE, data))
            related = (self.module.place(holder),) if is_of_factory else related
        else:
            comments = len(_comments_on(lines_above(self.module, statement), statement))
            # Comments stay above a statement of one line.
            above, comments = (0, 0) if changed and comments else (above, comments)
            postponed = Postponed(name, above, below, changed)
            rewrite = site.rewrite(statement, POSTPONE, postponed)
            edits.append(replace(rewrite, lines_above=comments))
        return Rewrite(message, edits, caveats, related)

    def _blank_lines(self, region: Region, removed: set[int]) -> tuple[int, int]:
        """Return how many blank lines a function lacks above and below, in place of a region."""
        body, first, last = self.module.tree.body, region.first, region.last + 1
        while first - 1 in removed:
            first -= 1
        while last in removed:
            last += 1
        above = sum(map(self._number_above, body[first : region.first + 1]))
        below = sum(map(self._number_above, body[region.last + 1 : last + 1]))
        # A new lifespan has blank lines of its own.
        is_apart = last == len(body) or body[last] in self._before_lifespan
        return max(0, _APART - above), 0 if is_apart else max(0, _APART - below)

    @property
    def _before_lifespan(self) -> list[ast.stmt]:
        application = self._application
        if application is None or application.lifespan is not None or application.has_events:
            return []
        return [application.outermost] if self._is_own else []

    def _number_above(self, statement: ast.stmt) -> int:
        decorators = getattr(statement, "decorator_list", None)
        above = lines_above(self.module, decorators[0] if decorators else statement)
        return blank_lines_below(above[: len(above) - len(_comments_on(above, statement))])

    def starting(self, parts: Sequence[_Part]) -> Iterator[Member]:
        """Yield how the application runs the code of ``parts`` before it serves requests."""
        application, module = self._application, self._home
        if application is None:
            return
        site = Site(self._rule, module, application.call)
        body = "".join(part.code for part in parts)
        along = tuple(place for part in parts for place in part.along)
        outcome = outcome_of(self._starting, application, site, body, parts)
        yield Member(site, outcome, f"`{module.excerpt(application.call)}`", along)
        for fixture in self._fixtures:
            yield self._starting_fixture(fixture, module.place(application.call))

    def _starting(
        self, application: Application, site: Site[ast.Call], body: str, parts: Sequence[_Part]
    ) -> Rewrite:
        """Return how the application runs ``body``. Raises Refused."""
        module, lifespan = self._home, application.lifespan
        shown, edits = f"`{module.excerpt(application.call)}`", list[Edit]()
        names = [name.rpartition(".")[2] for part in parts for name in part.names]
        if len({*names}) < len(names):
            raise Refused(NAME_TAKEN, max(names, key=names.count))
        for name in (name for part in parts for name in part.names if "." in name):
            edits += name_from_same_module(self._project, site, None, name)[1]
        if lifespan is not None:
            edits.append(site.insert_statements(module.place(lifespan), "body-start", body))
            return Rewrite(f"`{lifespan.name}` prepares the database", edits)
        if application.has_events:
            name = module.scopes.fresh_name(_HANDLER, f"{_HANDLER}_of_application")
            head = f'@{application.name}.on_event("startup")\nasync def {name}() -> None:\n'
            code, place = head + indent(body, _INDENTED), module.place(application.outermost)
            edits.append(site.insert_statements(place, "after", code))
            return Rewrite(f"{shown} gets a handler", edits)
        edits += lifespan_edits(self._project, site, f"{body}yield\n")
        return Rewrite(f"{shown} gets a lifespan", edits, application.caveats)

    @cached_property
    def _fixtures(self) -> list[_Fixture]:
        """The fixtures that start the application, where clients of tests do not.

        Tests that replace dependencies have tables of their own, if they use no other engine. A
        loop for each test needs another lifespan.
        """
        application, fixtures = self._application, list[_Fixture]()
        if application is None or application.lifespan is not None or self._is_loop_bound:
            return []
        if isinstance(application.outermost, ast.FunctionDef):
            return []
        if self._project.files_with((OVERRIDES.encode(),)) and not _lack_tables(self._project):
            return []
        known = twins().clients.names
        words = [word.encode() for word in self._project.spellings_of(known)]
        modules = [*modules_with(self._project, words, lambda path: not is_around_tests(path))]
        for module in sorted(modules, key=lambda one: not one.path.endswith(_SHARED)):
            clients = [
                node
                for node in module.walk()
                if isinstance(node, ast.Call) and node.args
                if self._project.qualified_name(module, node.func) in known
                for value in self._project.values.of(module, node.args[0]).alternatives
                if isinstance(value, InstanceOf)
                if value.made == self._home.place(application.call)
            ]
            is_entered = any(isinstance(module.parent(node), ast.withitem) for node in clients)
            is_started = any(module.path.startswith(fixture.place) for fixture in fixtures)
            shown = [node.args[0] for node in clients[:1]]
            if shown and _are_of_module(module, shown) and not (is_entered or is_started):
                fixtures.append(_Fixture(module, clients[0]))
        return fixtures

    def _starting_fixture(self, fixture: _Fixture, application: Place) -> Member:
        module, client = fixture
        site: Site[ast.AST] = Site(self._rule, module, client)
        made, shown = map(module.text_of, (client.func, client.args[0]))
        needed: list[Edit] = []
        name = self._project.qualified_name(module, client.func)
        if name and not _are_of_module(module, [client.func]):
            made, needed = name_from_same_module(self._project, site, None, name)
        scope = "session" if module.path.endswith(_SHARED) else "module"
        code = (
            f'@pytest.fixture(scope="{scope}", autouse=True)\n'
            f"def {module.scopes.fresh_name('started_application')}():\n"
            f"    with {made}({shown}):\n        yield\n"
        )
        edits = [site.insert_after_imports(code), site.need_import("pytest"), *needed]
        return Member(site, Rewrite(f"tests start `{shown}`", edits), f"`{shown}`", (application,))


def _is_started_by_tests(project: Project, started: tuple[str, ...]) -> bool:
    """Whether each client of a test is entered, or a fixture for its file in ``started`` is.

    So is the application then. Tests may create their tables themselves, too.
    """
    return _are_tables_of_tests(project) or all(
        isinstance(module.parent(call), ast.withitem)
        or last_name(getattr(module.parent(call), "func", call.func)).startswith("enter_")
        for module in _modules_with_clients(project)
        if not (module.path.startswith(started) or project.failing_import(module))
        for call in module.walk()
        if isinstance(call, ast.Call) and last_name(call.func) == "TestClient"
    )


def _are_of_module(module: Module, nodes: Iterable[ast.expr]) -> bool:
    """Whether the names that some expressions begin with belong to the top of the file."""
    roots = [root for root in map(root_of, nodes) if isinstance(root, ast.Name)]
    scopes = (binding.scope.kind for root in roots for binding in module.scopes.bindings_of(root))
    return all(scope == "module" for scope in scopes)


def _modules_with_clients(project: Project) -> list[Module]:
    """Return the files of tests that mention a client."""
    modules = modules_with(project, (b"TestClient",))
    return [module for module in modules if is_test_file(module.path)]


def _tests_at(module: Module) -> str:
    """Return the prefix of the paths of the tests that see the fixtures of a file."""
    return module.path.removesuffix(_SHARED)


def _are_tables_of_tests(project: Project) -> bool:
    return bool(_created_by_tests(project)) and not _lack_tables(project)


def _created_by_tests(project: Project) -> list[tuple[Module, ast.AST]]:
    """Return where tests mention ``create_all``, each with its file."""
    modules = modules_with(project, (b"create_all",), lambda path: not is_test_file(path))
    return [(module, node) for module in modules for node in module.mentions("create_all")]


def _lack_tables(project: Project) -> bool:
    """Whether tests call a factory of the program, and create tables on other engines alone."""
    engines = _engines_of_tests(project)
    for module, node in _created_by_tests(project) if engines else ():
        call = module.call_of(node)
        bind = None if call is None else argument(call, 0, "bind")
        makers = [module.parent(engine.call) for engine in project.orm.engines.in_file(module)]
        own = {last_name(name) for maker in makers for name in getattr(maker, "targets", ())}
        if isinstance(bind, ast.Name) and bind.id in own:
            continue
        name = None if bind is None else project.qualified_name(module, bind)
        if name is None:
            # A connection, or the engine of a fixture, may be the program's.
            return False
        engines.discard(name)
    return bool(engines)


def _engines_of_tests(project: Project) -> set[str | None]:
    """Return the engines, by their names, of the factories of the program that tests call."""
    engines = set[str | None]()
    for module, made in nodes_with(project, (b"sessionmaker",), ast.Call, is_around_tests):
        statement = module.parent(made)
        match statement:
            case ast.Assign(targets=[ast.Name() as factory]) if (
                project.orm.resource_of(module, made) == "factory"
            ):
                used = uses_of(project, {f"{module.name}.{factory.id}"})
                if any(is_test_file(path.path) and path.call_of(node) for path, node in used):
                    bind = argument(made, 0, "bind")
                    engines.add(None if bind is None else project.qualified_name(module, bind))
    return engines


def _comments_on(above: list[bytes], statement: ast.stmt) -> list[bytes]:
    """Return the last of the lines ``above`` a statement that are comments: they belong to it."""
    begin = b" " * statement.col_offset + b"#"
    return [*takewhile(lambda line: line.startswith(begin), reversed(above))][::-1]


def _what(statement: ast.stmt, shown: str) -> str:
    call = _call(statement)
    if call is not None and last_name(call.func) in {"create_all", "drop_all"}:
        return f"{last_name(call.func).partition('_')[0]}s tables"
    return f"runs {shown}"


def _call(statement: ast.stmt) -> ast.Call | None:
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return call
    return None
