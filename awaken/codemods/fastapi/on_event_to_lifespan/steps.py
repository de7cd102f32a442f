"""What becomes of each registration: the part of the lifespan, and the edits that remove it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.called import Caller
from awaken.codemods.fastapi.on_event_to_lifespan.conditions import is_conditional
from awaken.codemods.fastapi.on_event_to_lifespan.home import Definition, Home
from awaken.contract import Place, Reason
from awaken.project import Project
from awaken.project.modules import Module
from awaken.project.sites import Refused
from awaken.project.wiring.handlers import needs_arguments
from awaken.project.wiring.registrations import Event, Registration

Order = tuple[int, ...]


@dataclass(slots=True)
class Step:
    """One handler on its way into the lifespan.

    ``order`` sorts the handlers of an event as they were registered. ``code`` calls the handler,
    and repeats the names ``reads`` of the program. ``statement`` is what registered it, if that is
    a statement of its own; ``flag`` says that it must note in ``condition`` that it was reached,
    and ``kept`` what it still evaluates, into ``name``.
    """

    registration: Registration
    event: Event
    order: Order
    code: str = ""
    reads: tuple[ast.Name, ...] = ()
    statement: ast.stmt | None = None
    flag: bool = False
    kept: str = ""
    name: str = ""
    condition: str = ""
    comment: str = ""
    caveats: list[str] = field(default_factory=list)

    @property
    def module(self) -> Module:
        """The file of the registration."""
        return self.registration.module

    @property
    def function(self) -> Definition | None:
        """The decorated function."""
        return self.registration.function


class Steps:
    """Looks at the registrations of one application."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def of(self, registration: Registration) -> Step:
        """Return what becomes of ``registration``. Raises Refused."""
        if registration.form == "other":
            text = registration.module.excerpt(registration.node)
            raise Refused(reasons.OTHER_FORM, text, because=(registration.place,))
        if registration.event is None:
            raise self._refused(reasons.EVENT_NAME, registration)
        if registration.function is not None:
            return self._decorated(registration, registration.function, registration.event)
        if registration.handler is None:
            raise self._refused(reasons.OTHER_FORM, registration)
        if registration.form == "list":
            return self._of_list(registration, registration.handler, registration.event)
        return self._of_statement(registration, registration.handler, registration.event)

    def _refused(self, reason: Reason, registration: Registration) -> Refused:
        text = registration.module.excerpt(registration.node)
        return Refused(reason, text, because=(registration.place,))

    def _of_list(self, registration: Registration, handler: ast.expr, event: Event) -> Step:
        module = registration.module
        called = Caller(self._project, module).of(handler, may_keep=False)
        start = module.span(registration.node).start
        return Step(registration, event, (0, start), called.code, called.reads)

    def _of_statement(self, registration: Registration, handler: ast.expr, event: Event) -> Step:
        module = registration.module
        statement = module.statement_of(registration.node)
        if statement is None:
            raise self._refused(reasons.OTHER_FORM, registration)
        order = self._order(module, statement)
        called = Caller(self._project, module).of(handler, may_keep=True)
        step = Step(registration, event, order, called.code, called.reads, statement)
        step.kept = called.kept
        step.comment = "" if called.kept else _comment_behind(module, statement)
        step.flag = self._conditional(module, statement)
        return step

    def _decorated(self, registration: Registration, function: Definition, event: Event) -> Step:
        module = registration.module
        order = self._order(module, function)
        manner = self._manner(registration, function)
        if needs_arguments(function):
            raise Refused(reasons.HANDLER_PARAMETERS, function.name, because=(registration.place,))
        step = Step(registration, event, order, statement=function, name=function.name)
        step.code = f"{'await ' if manner == 'async' else ''}{{}}()"
        step.flag = self._conditional(module, function)
        return step

    def _manner(self, registration: Registration, function: Definition) -> str:
        module, handlers = registration.module, self._project.web.handlers
        index = function.decorator_list.index(registration.node)
        for above in function.decorator_list[:index]:
            if not handlers.is_transparent(module, above):
                place = Place(module.path, module.span(above))
                raise Refused(reasons.DECORATOR_ORDER, module.excerpt(above), because=(place,))
        manner = handlers.manner_of_definition(module, function)
        if manner is None:
            place = Place(module.path, module.span(function))
            raise Refused(reasons.ASYNC_UNKNOWN, function.name, because=(place,))
        return manner

    def _order(self, module: Module, statement: ast.stmt) -> Order:
        """Return when ``statement`` is executed. Raises Refused where that is elsewhere."""
        home = self._home
        scope = module.scopes.scope_of(statement)
        start = module.span(statement).start
        if module.path == home.module.path and scope.node is home.scope.node:
            return (1, start)
        place = Place(module.path, module.span(statement))
        where = module.scope_name(statement)
        where = f"`{where}`" if where != "<module>" else module.path
        raise Refused(reasons.REGISTERED_ELSEWHERE, where, because=(place,))

    def _conditional(self, module: Module, statement: ast.stmt) -> bool:
        if module.path != self._home.module.path:
            return False
        return is_conditional(self._home, statement)


def _comment_behind(module: Module, statement: ast.stmt) -> str:
    """Return the comment at the end of the last line of ``statement``."""
    text, end = module.source.text, module.span(statement).end
    line = text[end:].splitlines()[0] if text[end:] else b""
    rest = line.decode().strip()
    return rest if rest.startswith("#") else ""
