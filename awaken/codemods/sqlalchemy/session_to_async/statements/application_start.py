"""Statements that wait when the file of an application is imported: its lifespan runs them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import takewhile
from textwrap import indent
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import schema_change
from awaken.codemods.sqlalchemy.session_to_async.payload import POSTPONE, Postponed
from awaken.codemods.sqlalchemy.session_to_async.scripts.names import names_kept
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import Region
from awaken.codemods.sqlalchemy.session_to_async.scripts.waiting import Waiting, is_entered
from awaken.codemods.sqlalchemy.session_to_async.statements.writing import (
    Scripts,
    blank_lines_below,
    lines_above,
)
from awaken.contract import Edit, Place, ReplaceStatements, Span
from awaken.kit.changes import Member
from awaken.kit.imports import name_beside
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.graph.dispatch import Called
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.expressions.uses import passed_keywords
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import last_name, values_given, without_arguments
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

_INDENTED = "    "
_APART = 2
"""Blank lines around a function of a file."""
_OTHERS = {"on_shutdown", "on_startup"}
_DEFINING = {"class", "function", "import"}
_MANAGER = "contextlib.asynccontextmanager"
_FUNCTION = "prepare_database"
_HANDLER = "on_startup"
_SHARED = "conftest.py"
_TOLD_TOOLS = re.compile(rb"#\s*[\w-]+:")
"""A comment such as `# noqa: E402` or `# fmt: off`."""
_CREATES = "creates tables"
_LATER = "the application {} when it starts, not when the file is imported"


class _Application(NamedTuple):
    """The only application that a file makes, its variable, and the lifespan that it has already.

    ``outermost`` is the statement of the file that makes it: the function, where one does. If it
    ``starts_again``, tests call that function, too. If it ``has_events``, handlers of its events
    would not run with a lifespan.
    """

    name: str
    call: ast.Call
    lifespan: ast.AsyncFunctionDef | None
    outermost: ast.stmt
    starts_again: bool
    has_events: bool = False


class _Fixture(NamedTuple):
    """A fixture that starts the application for the tests around a ``client`` that does not."""

    module: Module
    client: ast.Call

    @property
    def place(self) -> str:
        """The path of its file, or for that of a folder what the paths there begin with."""
        return self.module.path.removesuffix(_SHARED)


class ApplicationStart:
    """Has the lifespan of an application run what waits when its file is imported."""

    def __init__(
        self, project: Project, rule: str, module: Module, waiting: Waiting, *, is_loop_bound: bool
    ) -> None:
        self._project = project
        self._is_loop_bound = is_loop_bound
        self._rule = rule
        self._module = module
        self._waiting = waiting
        self._application = _application(project, module)

    def regions(self) -> list[Region]:
        """Return the statements that wait, each by itself, if the application can run them.

        A statement under ``if __name__ == "__main__"`` does not count.
        """
        module = self._module
        nodes = [node for node in self._waiting.nodes() if not module.is_under_main(node)]
        indices = [
            index
            for index, statement in enumerate(module.tree.body)
            if any(module.span(statement).contains(module.span(node)) for node in nodes)
        ]
        regions = [Region(module, module.tree, index, index) for index in indices]
        can_move = bool(regions) and self._application is not None and self._can_move(regions)
        return regions if can_move else []

    def members(self, regions: list[Region], scripts: Scripts) -> Iterator[Member]:
        """Yield the rewrites of ``regions`` and of the application."""
        started, names = "", list[str]()
        removed = {item.first for item in regions if self._in_place(item.statements[0])}
        for region in regions:
            (statement,) = region.statements
            site: Site[ast.AST] = Site(self._rule, self._module, _call(statement) or statement)
            shown = f"`{self._module.excerpt(statement)}`"
            code = self._in_place(statement)
            outcome: Rewrite | Refused
            if code:
                edits: list[Edit] = [site.remove_statement(statement)]
                comment, anchor = self._comment(statement)
                if comment:
                    path = self._module.path
                    edits.append(ReplaceStatements(path=path, anchor=anchor, text="", site=site.id))
                    code = f"{comment}{code}"
                caveats = [_LATER.format(_what(statement, shown))]
                outcome = Rewrite(f"{shown} moves into the lifespan", edits, caveats)
            else:
                later = [f"{_FUNCTION}_{len(names) + 1}"] if names else [_FUNCTION]
                name = self._module.scopes.fresh_name(*later)
                names.append(name)
                data = Postponed(name, *self._blank_lines(region.first, removed))
                code, outcome = f"await {name}()", self._postponed(site, statement, data, scripts)
            started += f"{code}\n"
            yield Member(site, outcome, shown, (self._module.place(statement),))
        if self._application is not None:
            yield self._starting(self._application, started, regions)
            for fixture in self._fixtures:
                yield self._starting_fixture(fixture, self._module.place(self._application.call))

    def _comment(self, statement: ast.stmt) -> tuple[str, Span]:
        """Return the comment that is about one statement alone, and its lines; it may be empty."""
        module, text = self._module, self._module.source.text
        above, span = lines_above(module, statement), module.span(statement)
        lines = _comments_on(above)
        others = above[: len(above) - len(lines)]
        behind = text[span.end :].splitlines()[:2]
        is_apart = bool(others) and not others[-1].strip() and not b"".join(behind).strip()
        if not is_apart or any(_TOLD_TOOLS.match(one) for one in lines):
            return "", Span(span.start, span.start)
        comment = "".join(f"{one.decode().rstrip()}\n" for one in lines)
        return comment, Span(span.start - len(b"".join(lines)), span.start)

    def _can_move(self, regions: list[Region]) -> bool:
        """Whether each statement runs as well in a function: no other one reads what it binds."""
        statements = [region.statements[0] for region in regions]
        started = tuple(fixture.place for fixture in self._fixtures)
        if not _is_started_by_tests(self._project, started):
            return False
        if any(region.shares_a_line for region in regions) or not all(
            isinstance(one, ast.Expr | ast.If | ast.Try | ast.With | ast.For) for one in statements
        ):
            return False
        starts_again = self._application is not None and self._application.starts_again
        if starts_again and not all(map(self._creates_tables, statements)):
            return False
        try:
            if names_kept(self._module, statements):
                return False
        except Refused:
            return False
        return not self._share_names(regions) and not any(map(self._reads_rebound, statements))

    def _creates_tables(self, statement: ast.stmt) -> bool:
        """Whether a statement only creates tables that do not exist, so that it may run again."""
        call = _call(statement)
        called = None if call is None else self._project.calls.function_called(self._module, call)
        body = [statement] if not isinstance(called, Called) else called.function.body
        texts = [part for part in body if isinstance(getattr(part, "value", None), ast.Constant)]
        return all(part in texts or _what(part, "") == _CREATES for part in body)

    def _reads_rebound(self, statement: ast.stmt) -> bool:
        """Whether a statement reads a variable that the file sets again below it."""
        module, span = self._module, self._module.span(statement)
        for node in module.walk(statement):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
                continue
            bindings = [one for one in module.scopes.bindings_of(node) if one.kind not in _DEFINING]
            spans = [module.span(item.node) for item in bindings if item.scope.kind == "module"]
            # Names that the statement binds itself are its own.
            if not any(map(span.contains, spans)) and any(item.start > span.end for item in spans):
                return True
        return False

    def _share_names(self, regions: list[Region]) -> bool:
        """Whether a statement may read a name that another one binds."""
        module, scope = self._module, self._module.scopes.module
        for name, bindings in scope.bindings.items():
            places = [module.place(binding.node) for binding in bindings]
            binding = [region for region in regions if any(map(region.holds, places))]
            reads = [module.place(read) for read in scope.reads.get(name, ()) if binding]
            # The name of a handler is unbound at its end.
            is_handled = all(isinstance(item.node, ast.ExceptHandler) for item in bindings)
            is_read_elsewhere = not all(any(item.holds(read) for item in binding) for read in reads)
            if is_read_elsewhere or (len(binding) > 1 and not is_handled):
                return True
        return False

    def _in_place(self, statement: ast.stmt) -> str:
        """Return the code of a statement in the lifespan; empty if it needs a function."""
        call, span = _call(statement), self._module.span(statement)
        inside = [node for node in self._waiting.nodes() if span.contains(self._module.span(node))]
        if call is None or inside != [call]:
            return ""
        for operation in self._waiting.operations:
            if operation.node is call:
                is_of_tables = operation.how == "schema" and operation.resource == "engine"
                return schema_change(self._module, call) if is_of_tables else ""
        is_awaited = call in self._waiting.calls and not is_entered(self._module, call)
        return f"await {self._module.text_of(call)}" if is_awaited else ""

    def _postponed(
        self, site: Site[ast.AST], statement: ast.stmt, data: Postponed, scripts: Scripts
    ) -> Rewrite | Refused:
        try:
            edits = scripts.inside(site, [statement])
        except Refused as refused:
            return refused
        comments = len(_comments_on(lines_above(self._module, statement)))
        edits.append(replace(site.rewrite(statement, POSTPONE, data), lines_above=comments))
        message = f"`{data.name}()` does this when the application starts"
        return Rewrite(message, edits, [_LATER.format(f"runs `{data.name}()`")])

    def _blank_lines(self, index: int, removed: set[int]) -> tuple[int, int]:
        """Return how many blank lines a function lacks above and below, in place of a statement."""
        body, first, last = self._module.tree.body, index, index + 1
        while first - 1 in removed:
            first -= 1
        while last in removed:
            last += 1
        above = sum(map(self._number_above, body[first : index + 1]))
        below = sum(map(self._number_above, body[index + 1 : last + 1]))
        # A new lifespan has blank lines of its own.
        is_apart = last == len(body) or body[last] in self._before_lifespan
        return max(0, _APART - above), 0 if is_apart else max(0, _APART - below)

    @property
    def _before_lifespan(self) -> list[ast.stmt]:
        application = self._application
        if application is None or application.lifespan is not None or application.has_events:
            return []
        return [application.outermost]

    def _number_above(self, statement: ast.stmt) -> int:
        decorators = getattr(statement, "decorator_list", None)
        above = lines_above(self._module, decorators[0] if decorators else statement)
        return blank_lines_below(above[: len(above) - len(_comments_on(above))])

    def _starting(self, application: _Application, body: str, regions: list[Region]) -> Member:
        """Return how an application runs code before it serves requests."""
        module, call, lifespan = self._module, application.call, application.lifespan
        site: Site[ast.AST] = Site(self._rule, module, call)
        shown = f"`{module.excerpt(call)}`"
        along = tuple(module.place(region.statements[0]) for region in regions)
        if lifespan is not None:
            edit = site.insert_statements(module.place(lifespan), "body-start", body)
            message = f"`{lifespan.name}` prepares the database"
            return Member(site, Rewrite(message, [edit]), shown, along)
        if application.has_events:
            name = module.scopes.fresh_name(_HANDLER, f"{_HANDLER}_of_application")
            head = f'@{application.name}.on_event("startup")\nasync def {name}() -> None:\n'
            handler = site.insert_statements(
                module.place(application.outermost), "after", head + indent(body, _INDENTED)
            )
            return Member(site, Rewrite(f"{shown} gets a handler", [handler]), shown, along)
        manager, imports = name_beside(self._project, site, None, _MANAGER)
        iterator, more = name_beside(self._project, site, None, "collections.abc.AsyncIterator")
        name = module.scopes.fresh_name("lifespan", "app_lifespan")
        code = (
            f"@{manager}\nasync def {name}({application.name}: {module.text_of(call.func)})"
            f" -> {iterator}[None]:\n{indent(body, _INDENTED)}    yield\n"
        )
        edits: list[Edit] = [
            site.insert_statements(module.place(application.outermost), "before", code),
            site.add_keyword(call, "lifespan", name),
            *imports,
            *more,
        ]
        return Member(site, Rewrite(f"{shown} gets a lifespan", edits), shown, along)

    @cached_property
    def _fixtures(self) -> list[_Fixture]:
        """The fixtures that start the application, where clients of tests do not.

        Tests that replace dependencies have tables of their own, and a loop for each test needs
        another lifespan.
        """
        application, fixtures = self._application, list[_Fixture]()
        if application is None or application.lifespan is not None or self._is_loop_bound:
            return []
        if isinstance(application.outermost, ast.FunctionDef):
            return []
        if self._project.files_with((OVERRIDES.encode(),)):
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
                if value.made == self._module.place(application.call)
            ]
            parts = [part for node in clients[:1] for part in (node.func, node.args[0])]
            scopes = {
                binding.scope.kind
                for part in parts
                if isinstance(part, ast.Name)
                for binding in module.scopes.bindings_of(part)
            }
            is_entered = any(isinstance(module.parent(node), ast.withitem) for node in clients)
            is_started = any(module.path.startswith(fixture.place) for fixture in fixtures)
            if scopes == {"module"} and not is_entered and not is_started:
                fixtures.append(_Fixture(module, clients[0]))
        return fixtures

    def _starting_fixture(self, fixture: _Fixture, application: Place) -> Member:
        module, client = fixture
        site: Site[ast.AST] = Site(self._rule, module, client)
        made, shown = map(module.text_of, (client.func, client.args[0]))
        scope = "session" if module.path.endswith(_SHARED) else "module"
        code = (
            f'@pytest.fixture(scope="{scope}", autouse=True)\n'
            f"def {module.scopes.fresh_name('started_application')}():\n"
            f"    with {made}({shown}):\n        yield\n"
        )
        edits: list[Edit] = [site.insert_after_imports(code), site.need_import("pytest")]
        return Member(site, Rewrite(f"tests start `{shown}`", edits), f"`{shown}`", (application,))


def _is_started_by_tests(project: Project, started: tuple[str, ...]) -> bool:
    """Whether each client of a test is entered, or a fixture for its file in ``started`` is.

    So is the application then. Tests may create their tables themselves, too.
    """
    tests = [
        module
        for module in modules_with(project, (b"TestClient", b"create_all"))
        if is_test_file(module.path)
    ]
    return any("create_all" in module.words() for module in tests) or all(
        isinstance(module.parent(call), ast.withitem)
        or last_name(getattr(module.parent(call), "func", call.func)).startswith("enter_")
        for module in tests
        if not (module.path.startswith(started) or project.failing_import(module))
        for call in module.walk()
        if isinstance(call, ast.Call) and last_name(call.func) == "TestClient"
    )


def _comments_on(above: list[bytes]) -> list[bytes]:
    """Return the last of the lines ``above`` a statement that are comments: they belong to it."""
    return [*takewhile(lambda line: line.startswith(b"#"), reversed(above))][::-1]


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


def _application(project: Project, module: Module) -> _Application | None:
    """Return the one application that a file makes; None if something else may start it."""
    made = list(_applications_made(project, module))
    if len(made) != 1:
        return None
    (application,) = made
    arguments = dict(passed_keywords(module, application.call))
    if _OTHERS & arguments.keys() or None in arguments:
        return None
    place, handlers = module.place(application.call), project.web.registrations.all
    if any(
        item.to.unknown or any(to.made == place for to in item.to.applications) for item in handlers
    ):
        is_made_here = not isinstance(application.outermost, ast.FunctionDef)
        is_plain = is_made_here and "lifespan" not in arguments
        return application._replace(has_events=True) if is_plain else None
    if "lifespan" not in arguments:
        return application
    lifespan = _manager_named(project, module, arguments["lifespan"])
    return None if lifespan is None else application._replace(lifespan=lifespan)


def _applications_made(project: Project, module: Module) -> Iterator[_Application]:
    """Yield the applications that a file makes, by a function that it calls once, too."""
    for statement in module.tree.body:
        for name, call in values_given([statement]):
            if _makes(call, project, module):
                yield _Application(name, call, None, statement, starts_again=False)
            factory = _node_bound(module, call.func) if isinstance(call, ast.Call) else None
            if isinstance(factory, ast.FunctionDef) and factory in module.tree.body:
                for kept, made in values_given(factory.body):
                    if _makes(made, project, module):
                        again = _is_called_again(project, module, factory, call)
                        if again is not None:
                            yield _Application(kept, made, None, factory, again)


def _makes(node: ast.expr, project: Project, module: Module) -> TypeGuard[ast.Call]:
    known = twins().absorbing.applications
    return isinstance(node, ast.Call) and project.qualified_name(module, node.func) in known


def _node_bound(module: Module, node: ast.expr) -> ast.AST | None:
    """Return what gives the name ``node`` its only value."""
    binding = module.scopes.only_binding(node)
    return None if binding is None else binding.node


def _is_called_again(
    project: Project, module: Module, function: ast.FunctionDef, call: ast.expr
) -> bool | None:
    """Whether tests call ``function``, too, apart from ``call``; None if other code may."""
    callers = project.calls.callers_of(module, function)
    others = [site.place for site in callers.sites if site.place != module.place(call)]
    is_known = len(others) < len(callers.sites) and all(
        obstacle.kind == "outside" for obstacle in callers.obstacles
    )
    return bool(others) if is_known and all(is_around_tests(at.path) for at in others) else None


def _manager_named(project: Project, module: Module, node: ast.expr) -> ast.AsyncFunctionDef | None:
    """Return the function of the file that ``node`` names, if it makes a context manager."""
    manager = _node_bound(module, node)
    if not isinstance(manager, ast.AsyncFunctionDef):
        return None
    if module.enclosing_function(manager) is not None:
        return None
    decorators = [without_arguments(decorator) for decorator in manager.decorator_list]
    is_manager = [project.qualified_name(module, part) for part in decorators] == [_MANAGER]
    return manager if is_manager else None
