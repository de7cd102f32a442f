"""The step of a lifespan that each registration becomes, and what is needed to remove it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct, field

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.called import Caller
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.handler_providers import (
    Provider,
    provider_of,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.timing import Clock, Order, Timing
from awaken.contract import Reason
from awaken.kit.names_here import binds
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.handlers import Manner, needs_arguments
from awaken.project.frameworks.web.inclusion import Inclusion
from awaken.project.frameworks.web.registrations import Event, Registration
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function


class Step(Struct):
    """One handler on its way into the lifespan.

    ``order`` sorts the handlers of an event as they were registered. ``code`` calls the handler,
    and repeats the names ``reads`` of the program. ``statement`` is what registered it, if that is
    a statement of its own; ``flag`` says that it must note in ``condition`` that it was reached,
    and ``kept`` what it still evaluates, into ``name``. ``foreign`` and ``first`` are those of its
    ``Timing``. ``provider`` is the statement that calls the function which has registered the
    handler, and will return it; ``returned``: it does so already.
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
    foreign: bool = False
    first: bool = False
    provider: ast.stmt | None = None
    returned: bool = True
    caveats: list[str] = field(default_factory=list)

    @property
    def module(self) -> Module:
        """The file of the registration."""
        return self.registration.module

    @property
    def is_removed(self) -> bool:
        """Whether the statement that registered it is removed completely."""
        return self.statement is not None and self.function is None and not (self.flag or self.kept)

    @property
    def function(self) -> Function | None:
        """The decorated function."""
        return self.registration.function


class Steps:
    """Looks at the registrations of one application."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home
        self._clock = Clock(project, home)

    def checked_step(self, registration: Registration, via: tuple[Inclusion, ...] = ()) -> Step:
        """Return the step for ``registration``, of a router that is included ``via``.

        Raises Refused.
        """
        step = self._step_of(registration, via)
        # A name that a removed statement binds would be gone with it.
        if step.statement is not None and step.is_removed and binds(step.module, step.statement):
            raise self._refusal(reasons.OTHER_FORM, registration)
        return step

    def _step_of(self, registration: Registration, via: tuple[Inclusion, ...]) -> Step:
        if registration.form == "other":
            text = registration.module.excerpt(registration.node)
            raise Refused(reasons.OTHER_FORM, text, because=(registration.place,))
        if registration.event is None:
            raise self._refusal(reasons.EVENT_NAME, registration)
        if registration.function is not None:
            return self._decorated_step(
                registration, registration.function, registration.event, via
            )
        if registration.handler is None:
            raise self._refusal(reasons.OTHER_FORM, registration)
        if registration.form == "list":
            return self._of_list(registration, registration.handler, registration.event)
        return self._of_statement(registration, registration.handler, registration.event, via)

    def _refusal(self, reason: Reason, registration: Registration) -> Refused:
        text = registration.module.excerpt(registration.node)
        return Refused(reason, text, because=(registration.place,))

    def _of_list(self, registration: Registration, handler: ast.expr, event: Event) -> Step:
        module = registration.module
        called = Caller(self._project, module).call_of(handler, may_keep=False)
        # Starlette fills the lists in the constructor, before any other registration: order 0.
        start = module.span(registration.node).start
        return Step(registration, event, (0, start), called.code, called.reads)

    def _of_statement(
        self,
        registration: Registration,
        handler: ast.expr,
        event: Event,
        via: tuple[Inclusion, ...],
    ) -> Step:
        module = registration.module
        statement = module.statement_of(registration.node)
        if statement is None:
            raise self._refusal(reasons.OTHER_FORM, registration)
        timing = self._clock.timing_of(registration, statement, via)
        called = Caller(self._project, module).call_of(handler, may_keep=not timing.foreign)
        step = Step(registration, event, timing.order, called.code, called.reads, statement)
        step.kept = called.kept
        if timing.foreign:
            # Only a name can be imported from the other file.
            if not isinstance(handler, ast.Name):
                raise self._refusal(reasons.HANDLER_EXPRESSION, registration)
            step.name, step.reads = handler.id, ()
            step.code = called.code.replace(f"{handler.id}()", "{}()")
        return _timed_step(step, timing)

    def _decorated_step(
        self,
        registration: Registration,
        function: Function,
        event: Event,
        via: tuple[Inclusion, ...],
    ) -> Step:
        provider = None if via else provider_of(self._project, self._home, registration)
        if provider is not None:
            return self._provided_step(registration, function, event, provider)
        timing = self._clock.timing_of(registration, function, via)
        manner = self._manner(registration, function)
        wrapped = [
            decorator
            for decorator in function.decorator_list
            if not self._project.web.handlers.is_transparent(registration.module, decorator)
        ]
        # A decorator may fill the parameters in.
        if needs_arguments(function) and not wrapped:
            raise Refused(reasons.HANDLER_PARAMETERS, function.name, because=(registration.place,))
        step = Step(registration, event, timing.order, statement=function, name=function.name)
        step.code = f"{'await ' if manner == 'async' else ''}{{}}()"
        return _timed_step(step, timing)

    def _provided_step(
        self, registration: Registration, function: Function, event: Event, provider: Provider
    ) -> Step:
        """Return the step of a handler that a function returns, after it has registered it."""
        module = self._home.module
        # The provider's own body runs again, so it cannot hold a flag.
        if provider.timing.conditional:
            raise self._refusal(reasons.HANDLER_EXPRESSION, registration)
        manner = self._manner(registration, function)
        step = Step(registration, event, provider.timing.order, name=function.name)
        called = Caller(self._project, module).of_result(provider.call, manner)
        step.code, step.reads = called.code, called.reads
        step.provider = provider.statement
        step.returned = provider.returns
        return step

    def _manner(self, registration: Registration, function: Function) -> Manner:
        module, handlers = registration.module, self._project.web.handlers
        index = function.decorator_list.index(registration.node)
        for above in function.decorator_list[:index]:
            # `on_event` registered the inner function; the name means the outer one.
            if not handlers.is_transparent(module, above):
                place = module.place(above)
                raise Refused(reasons.DECORATOR_ORDER, module.excerpt(above), because=(place,))
        manner = handlers.manner_of_definition(module, function)
        if manner is None:
            place = module.place(function)
            raise Refused(reasons.ASYNC_UNKNOWN, function.name, because=(place,))
        return manner


def _timed_step(step: Step, timing: Timing) -> Step:
    # A test that cannot change is asked again; any other answer is kept in a flag.
    step.flag = timing.conditional and (timing.test is None or bool(step.kept))
    if timing.test is not None and not step.flag:
        step.condition = timing.test.code
        step.reads = (*step.reads, *timing.test.reads)
    step.foreign, step.first = timing.foreign, timing.first
    step.caveats += timing.caveats
    return step


def emptied_blocks(steps: Sequence[Step]) -> list[ast.If]:
    """Return the conditions whose blocks would be empty."""
    gone = [candidate.statement for candidate in steps if candidate.is_removed]
    result: dict[ast.If, None] = {}
    for step in steps:
        statement = step.statement
        if statement is None or statement not in gone or not step.condition:
            continue
        block = step.module.parent(statement)
        # Removing the `if` would leave an `else` without it.
        if isinstance(block, ast.If) and not block.orelse and all(x in gone for x in block.body):
            result[block] = None
    return list(result)
