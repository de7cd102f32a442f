"""The step of a lifespan that each registration becomes, and what is needed to remove it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.timing import Clock, Order, Timing
from awaken.contract import Reason
from awaken.kit.names_here import binds
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.applications import OF_OTHERS
from awaken.project.frameworks.web.handlers import Manner, needs_arguments
from awaken.project.frameworks.web.registrations import Event, Registration
from awaken.project.frameworks.web.served_applications import Inclusion
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, arguments_of, parameters_of
from awaken.project.values.domain import Unknown

_DEFINED_AND_RETURNED = 2
_PARTIAL = "functools.partial"


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
        called = _Caller(self._project, module).call_of(handler, may_keep=False)
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
        called = _Caller(self._project, module).call_of(handler, may_keep=not timing.foreign)
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
        provider = None if via else _provider_of(self._project, self._home, registration)
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
        called = _Caller(self._project, module).of_result(provider.call, manner)
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


class Provider(Struct, frozen=True):
    """The only call of such a function, as a statement of its own, and when that is executed.

    ``returns`` says that the function gives back its handler already.
    """

    call: ast.Call
    statement: ast.stmt
    timing: Timing
    returns: bool


def _provider_of(project: Project, home: Home, registration: Registration) -> Provider | None:
    """Return the call that makes and registers the handler of ``registration``, if only one does.

    It is where the application of ``home`` is made. Raises Refused.
    """
    module, function = registration.module, registration.function
    maker = module.scopes.scope_of(function).node if function is not None else None
    if function is None or not isinstance(maker, Function) or maker is home.scope.node:
        return None
    body = maker.body[1:] if ast.get_docstring(maker) is not None else maker.body
    if not _only_defines(maker, body, function):
        return None
    callers = project.calls.callers_of(module, maker)
    hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
    # A second call would register the handler a second time.
    if len(callers.sites) != 1 or hidden or callers.sites[0].place.path != home.module.path:
        return None
    calls = home.module.calls_at(callers.sites[0].place.span)
    statement = home.module.parent(calls[0]) if calls else None
    # A result that is used must stay where it is.
    if not isinstance(statement, ast.Expr):
        return None
    timing = Clock(project, home).of_statement(home.module, statement)
    return None if timing is None else Provider(calls[0], statement, timing, returns=len(body) > 1)


def _only_defines(maker: Function, body: list[ast.stmt], function: Function) -> bool:
    """Whether a function does nothing but define its handler, and return it if anything."""
    # A coroutine function gives a coroutine, not its handler.
    plain = isinstance(maker, ast.FunctionDef) and not maker.decorator_list
    if not plain or len(body) > _DEFINED_AND_RETURNED or body[0] is not function:
        return False
    if len(body) == 1:
        return True
    returned = body[1].value if isinstance(body[1], ast.Return) else None
    return isinstance(returned, ast.Name) and returned.id == function.name


class Called(Struct, frozen=True):
    """The statement that calls a handler, and the expressions of the program that it repeats.

    ``kept`` is what must still be evaluated where it was registered: ``code`` then has ``{}`` for
    the variable that holds it.
    """

    code: str
    reads: tuple[ast.Name, ...]
    kept: str = ""


class _Caller:
    """Writes the calls of one module's handlers."""

    def __init__(self, project: Project, module: Module) -> None:
        self._project = project
        self._module = module

    def call_of(self, handler: ast.expr, *, may_keep: bool) -> Called:
        """Return how to call ``handler``; ``may_keep``: its place can keep a value.

        Raises Refused.
        """
        match handler:
            case ast.Lambda():
                return self._lambda(handler)
            case ast.Name() | ast.Attribute():
                return self._named_callee(handler)
            case ast.Call():
                return self._made_callee(handler, may_keep=may_keep)
            case _:
                raise self._refusal(reasons.HANDLER_EXPRESSION, handler)

    def _refusal(self, reason: Reason, node: ast.expr) -> Refused:
        place = self._module.place(node)
        return Refused(reason, self._module.excerpt(node), because=(place,))

    def _manner(self, node: ast.expr) -> Manner:
        manner = self._project.web.handlers.manner(self._module, node)
        if manner is None:
            raise self._refusal(reasons.ASYNC_UNKNOWN, node)
        return manner

    def _named_callee(self, node: ast.Name | ast.Attribute) -> Called:
        manner = self._manner(node)
        # FastAPI calls handlers without arguments.
        if self._project.web.handlers.cannot_be_called(self._module, node):
            raise self._refusal(reasons.HANDLER_PARAMETERS, node)
        # The registration holds the function; the lifespan looks it up when it starts.
        replacements = self._project.replaced_names.anywhere(self._module, node)
        replaced = tuple(replacement.place for replacement in replacements)
        if isinstance(node, ast.Name):
            # Tests that replace the name of a function are a caveat, for all forms of handlers.
            replaced = tuple(place for place in replaced if not is_around_tests(place.path))
        if replaced:
            raise Refused(reasons.REBOUND, self._module.excerpt(node), because=replaced)
        reads = tuple(self._steady(node))
        return Called(f"{_await_prefix(manner)}{self._module.text_of(node)}()", reads)

    def _lambda(self, node: ast.Lambda) -> Called:
        inside = list(self._module.walk(node.body))
        # These bind or suspend in the lambda's scope, which goes away.
        if any(isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom) for part in inside):
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        if parameters_of(node.args):
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        if isinstance(node.body, ast.Call):
            called = self._project.web.handlers.manner(self._module, node.body.func)
            # FastAPI drops the coroutine that a lambda returns; awaiting it would start it.
            if called == "async":
                raise self._refusal(reasons.NEVER_AWAITED, node)
        reads = tuple(part for part in inside if isinstance(part, ast.Name))
        return Called(self._statement(node.body), reads)

    def _statement(self, node: ast.expr) -> str:
        """Return the source of ``node`` as a statement of its own, its lines moved to the left."""
        text = self._module.text_of(node)
        first, *rest = text.splitlines(keepends=True)
        # The lines of a string that spans several must keep their indentation.
        spread = any(
            isinstance(part, ast.Constant) and part.lineno != part.end_lineno
            for part in self._module.walk(node)
        )
        if rest and not spread:
            widths = [len(line) - len(line.lstrip(" \t")) for line in rest if line.strip()]
            text = first + "".join(line[min(widths, default=0) :] for line in rest)
        try:
            ast.parse(text, filename="")
        except SyntaxError:
            # Lines that only the lambda's parentheses held together need their own.
            return f"({text})"
        return text

    def _made_callee(self, node: ast.Call, *, may_keep: bool) -> Called:
        arguments = arguments_of(node)
        steady = all(isinstance(argument, ast.Name | ast.Constant) for argument in arguments)
        text = self._module.text_of(node)
        if self._project.qualified_name(self._module, node.func) == _PARTIAL:
            # `partial` evaluates its arguments once, at the registration.
            if not steady or not node.args or not isinstance(node.args[0], ast.Name):
                raise self._refusal(reasons.HANDLER_EXPRESSION, node)
            rest = [self._module.text_of(argument) for argument in node.args[1:]]
            rest += [f"{part.arg}={self._module.text_of(part.value)}" for part in node.keywords]
            manner = self._manner(node.args[0])
            code = f"{_await_prefix(manner)}{self._module.text_of(node.args[0])}({', '.join(rest)})"
            return Called(code, tuple(self._steady(*arguments)))
        manner = self._manner(node)
        # Without side effects it makes no difference when the maker is called.
        if steady and "\n" not in text and self._only_defines(node):
            return self.of_result(node, manner)
        if not may_keep:
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        return Called(f"{_await_prefix(manner)}{{}}()", (), text)

    def of_result(self, node: ast.Call, manner: Manner) -> Called:
        """Return how to call what the call ``node`` returns. Raises Refused."""
        arguments = arguments_of(node)
        text = self._module.text_of(node)
        if "\n" in text or not all(isinstance(part, ast.Name | ast.Constant) for part in arguments):
            raise self._refusal(reasons.HANDLER_EXPRESSION, node)
        return Called(
            f"{_await_prefix(manner)}{text}()", tuple(self._steady(node.func, *arguments))
        )

    def _only_defines(self, node: ast.Call) -> bool:
        """Whether the function that ``node`` calls only defines another one and returns it."""
        called = self._project.calls.function_called(self._module, node)
        if isinstance(called, Unknown):
            return False
        *others, last = called.function.body
        plain = all(
            isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            for statement in others
        )
        decorated = any(part.decorator_list for part in others if hasattr(part, "decorator_list"))
        return plain and not decorated and isinstance(last, ast.Return)

    def _steady(self, *nodes: ast.expr) -> Iterator[ast.Name]:
        """Yield the names in ``nodes``, which all mean the same when the application starts."""
        for node in nodes:
            for part in self._module.nodes_below(node, ast.Name):
                bindings = self._module.scopes.bindings_of(part)
                # `try: import a` / `except ImportError` binds one name twice, before the start.
                if len(bindings) > 1 and any(b.kind != "import" for b in bindings):
                    raise self._refusal(reasons.REBOUND, part)
                yield part


def _await_prefix(manner: Manner) -> str:
    return "await " if manner == "async" else ""
