"""The reasons for which the handlers of an application stay, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

HAS_LIFESPAN = Reason(
    "has-lifespan",
    "the application has a lifespan, so this handler never runs",
    "Call it in the lifespan if it should run, or remove it.",
)
LIST_UNUSED = Reason(
    "list-unused",
    "the application has a lifespan, so Starlette runs no handler in this list",
    "Remove this use, or run the lifespan where the handlers should run.",
)
LIFESPAN_CONTEXT = Reason(
    "lifespan-context",
    "the program also replaces the application's `lifespan_context`",
    "Give the application one lifespan that does both.",
)
UNRESOLVED_REGISTRATION = Reason(
    "unresolved",
    "a handler is registered on an unknown application: {}",
    "Register it where the application is created, or annotate the object that it is "
    "registered on.",
)
SEVERAL_APPLICATIONS = Reason(
    "shared-handler",
    "the handler is registered on more than one application",
    "Register it on each application, where the application is created.",
)
UNCALLED = Reason(
    "uncalled-function",
    "no visible call passes an application to `{}`, which registers the handler",
    "Remove the function, or turn it into a lifespan.",
)
FACTORY = Reason(
    "factory-calls",
    "`{}` creates other applications than the one with this handler",
    "Register the handler inside the function.",
)
REGISTERED_ELSEWHERE = Reason(
    "elsewhere",
    "a handler is registered in {}",
    "Register it in the file and function that creates the application.",
)
INSTALLER = Reason(
    "installer",
    "`{}` registers its own handlers, which a lifespan would disable",
    "Use the library's own lifespan instead, then run awaken again.",
)
OTHER_FORM = Reason(
    "other-form",
    "awaken does not follow this use of the handlers: `{}`",
    "Register each handler in its own statement.",
)
ROUTER_STARTUP = Reason(
    "router-startup",
    "`{}` runs the handlers, and would no longer run any",
    "Wrap the code after it in `async with app.router.lifespan_context(app):`.",
)
EVENT_NAME = Reason(
    "event-name", "the value of the event `{}` is unknown", 'Write "startup" or "shutdown".'
)
ASYNC_UNKNOWN = Reason(
    "async-unknown",
    "`{}` may or may not have to be awaited",
    "Wrap it in a function of the program, and use `async def` if it has to be awaited.",
)
NEVER_AWAITED = Reason(
    "never-awaited",
    "`{}` creates a coroutine that is never awaited, so the handler does nothing",
    "Register the coroutine function itself.",
)
HANDLER_PARAMETERS = Reason(
    "handler-parameters",
    "`{}` cannot be called without arguments, so it fails today",
    "Give its parameters defaults, or remove them.",
)
HANDLER_EXPRESSION = Reason(
    "handler-expression",
    "the value of `{}` at startup is unknown",
    "Register a function that has a name.",
)
DECORATOR_ORDER = Reason(
    "decorator-order",
    "`{}` is above the registering decorator, so the name is not the registered function",
    "Move the registering decorator to the top.",
)
REBOUND = Reason(
    "name-rebound",
    "`{}` may mean something else when the application starts",
    "Give the handler a unique name.",
)
CONDITIONAL = Reason(
    "conditional",
    "a handler is registered only in some cases: {}",
    "Always register it, and check the condition inside the handler.",
)
RUNS_AGAIN = Reason(
    "runs-again",
    "`{}` may run more than once for one application, and registers the handler each time",
    "Call it once for each application.",
)
LOOP = Reason("loop", "handlers are registered in a loop", "Register one handler that loops.")
KEYWORDS = Reason("kwargs", "`{}` may contain handlers or a lifespan", "Write out the arguments.")
OWN_CLASS = Reason(
    "own-class",
    "`{}` is a subclass of FastAPI with its own constructor",
    "Pass the lifespan to its `super().__init__()` by hand.",
)
NO_PLACE = Reason(
    "no-place",
    "the application is created where no function can be added: {}",
    "Create it in a separate statement of a module or function.",
)
ROUTER_HANDLER = Reason(
    "router-handler",
    "a router that the application includes has handlers, {}",
    "Call them in the lifespan of the application.",
)
APPLICATION_INCLUDED = Reason(
    "application-included",
    "one application includes the router of the other, which changes the order of the handlers",
    "Move the routes of the inner application to an `APIRouter`, and include the router.",
)
UNINCLUDED_ROUTER = Reason(
    "router-not-included",
    "no visible application includes the router",
    "Remove the handler, or include the router.",
)
SUB_APPLICATION = Reason(
    "sub-application",
    "the application is mounted in another one, where its handlers never run",
    "Call the handler in the lifespan of the application that is served.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename it, or write the lifespan by hand.",
)
BESIDE_LEFT_OUT = Reason(
    "beside-left-out",
    "another handler of the application is left alone",
    "Allow the other handler as well.",
)

ALL = tuple(candidate for candidate in list(globals().values()) if isinstance(candidate, Reason))
