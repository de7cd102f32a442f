"""Applications that a file makes, and the statements of a factory that their lifespan may run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from awaken.contract import Place, Span
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import modules_with
from awaken.kit.web.lifespans import caveats_of_installers, may_get_lifespan
from awaken.knowledge.applications import application_classes
from awaken.project.source.expressions.expression_uses import passed_keywords
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, values_given

if TYPE_CHECKING:
    from awaken.project import Project

_KINDS = {"fastapi", "starlette"}
_OTHERS = {"on_shutdown", "on_startup"}
_STAYING = (ast.Return, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, Function, ast.ClassDef)
"""What ends a function, changes names of others, or outlives the statement that it is in."""


class Application(NamedTuple):
    """The only application that a file makes, its variable, and the lifespan that it has already.

    ``outermost`` is the statement of the file that makes it: the function, where one does. If it
    ``starts_again``, tests call that function, too. If it ``has_events``, handlers of its events
    would not run with a lifespan. ``caveats`` say what a new one may change.
    """

    name: str
    call: ast.Call
    lifespan: ast.AsyncFunctionDef | None
    outermost: ast.stmt
    starts_again: bool
    has_events: bool = False
    caveats: Sequence[str] = ()


class Block(NamedTuple):
    """The statements ``first`` to ``last`` of a factory, and what they take of the file."""

    first: int
    last: int
    span: Span


class FactoryBlocks(ProjectFacts):
    """Statements in the factory of an application that share no name with the rest of it.

    The file that makes the application runs them when it is imported, as its own statements.
    """

    def holds(self, place: Place) -> bool:
        """Whether a place is in such a statement."""
        return any(block.span.contains(place.span) for block in self.of_files.get(place.path, ()))

    @cached_property
    def of_files(self) -> dict[str, list[Block]]:
        """The blocks of each file that has some, by its path."""
        words = [*map(str.encode, self._project.spellings_of(application_names()))]
        result = {}
        for module in modules_with(self._project, words, is_around_tests):
            application = application_of(self._project, module)
            if application is not None and isinstance(application.outermost, ast.FunctionDef):
                result[module.path] = [*_blocks(module, application.outermost)]
        return result


def _blocks(module: Module, factory: ast.FunctionDef) -> Iterator[Block]:
    """Yield the statements of a factory next to each other that have their names to themselves."""
    spans = [*map(module.span, factory.body)]
    # The last label is that of parameters, and of what has to stay in the factory.
    labels = [*range(len(spans) + 1)]
    staying = {
        index
        for index, statement in enumerate(factory.body)
        if any(isinstance(node, _STAYING) for node in module.walk(statement))
    }
    for uses in (*uses_of_variables(module, factory), staying | {len(spans)}):
        joined = {labels[index] for index in uses}
        labels = [max(joined) if label in joined else label for label in labels]
    for label in sorted({*labels} - {labels[-1]}):
        indices = [index for index, item in enumerate(labels) if item == label]
        first, last = indices[0], indices[-1]
        if last - first + 1 == len(indices):
            yield Block(first, last, Span(spans[first].start, spans[last].end))


def uses_of_variables(module: Module, function: ast.FunctionDef) -> Iterator[set[int]]:
    """Yield, once a variable of a function, the numbers of the statements that use it.

    A parameter, and what is outside of the body, has the number after the last statement.
    """
    own, spans = module.scopes.scope_made_by(function), [*map(module.span, function.body)]
    for name, bindings in own.bindings.items():
        nodes = [*(binding.node for binding in bindings), *module.scopes.reads_in(own, name)]
        yield {
            next((index for index, span in enumerate(spans) if span.contains(used)), len(spans))
            for used in map(module.span, nodes)
        }


def application_names() -> set[str]:
    """Return the qualified names of the classes of applications with an event loop."""
    return {name for name, kind in application_classes().items() if kind in _KINDS}


def application_of(project: Project, module: Module) -> Application | None:
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
    served = [item for item in project.web.serving.all if item.application.made == place]
    if "lifespan" not in arguments:
        if not any(may_get_lifespan(project, item) for item in served):
            return None
        installations = project.web.installations.installations_on(served[0].application)
        return application._replace(caveats=caveats_of_installers(installations))
    managers = [item.lifespan for item in served if item.lifespan is not None]
    around = module.enclosing_function
    for span in (home.span(node) for home, node in managers if home.path == module.path):
        node = module.function_at(span.start)
        if isinstance(node, ast.AsyncFunctionDef) and around(node) is around(application.call):
            return application._replace(lifespan=node)
    return None


def application_starting(project: Project, module: Module) -> tuple[Module, Application] | None:
    """Return the application that a file belongs to, with the file that makes it.

    That is the only one that imports the file, where it makes none. None if it is not known, or
    if something else may start it.
    """
    home = module
    if not any(_applications_made(project, module)):
        words = [*map(str.encode, project.spellings_of(application_names()))]
        homes = [
            candidate
            for candidate in modules_with(project, words, is_around_tests)
            if project.web.imports.certain(candidate, module.path)
            if any(_applications_made(project, candidate))
        ]
        if len(homes) != 1 or project.web.imports.certain(module, homes[0].path):
            return None
        (home,) = homes
    application = application_of(project, home)
    return None if application is None else (home, application)


def _applications_made(project: Project, module: Module) -> Iterator[Application]:
    """Yield the applications that a file makes, by a function that one file calls once, too."""
    for statement in module.tree.body:
        factory = statement if isinstance(statement, ast.FunctionDef) else None
        for name, call in values_given([statement] if factory is None else factory.body):
            if _makes(call, project, module):
                again = factory is not None and _is_called_again(project, module, factory)
                if again is not None:
                    yield Application(name, call, None, statement, again)


def _makes(node: ast.expr, project: Project, module: Module) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call):
        return False
    return project.qualified_name(module, node.func) in application_names()


def _is_called_again(project: Project, module: Module, factory: ast.FunctionDef) -> bool | None:
    """Whether tests call ``factory`` as well as the file that keeps its application.

    None if no file does so when it is imported, or other code may call it.
    """
    callers = project.calls.callers_of(module, factory)
    if any(obstacle.kind != "outside" for obstacle in callers.obstacles):
        return None
    calls = [pair for site in callers.sites for pair in project.calls_at(site.place)]
    others = [home for home, call in calls if not _is_kept(home, call)]
    is_known = len(calls) - len(others) == 1 and len(calls) == len(callers.sites)
    return bool(others) if is_known and all(is_around_tests(at.path) for at in others) else None


def _is_kept(module: Module, call: ast.Call) -> bool:
    """Whether a file keeps what ``call`` returns in a variable, when it is imported."""
    statements = [part for part in module.tree.body if part is module.parent(call)]
    is_kept = any(value is call for _, value in values_given(statements))
    return is_kept and not is_around_tests(module.path)
