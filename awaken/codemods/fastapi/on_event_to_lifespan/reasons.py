"""The reasons for which the handlers of an application stay, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

HAS_LIFESPAN = Reason(
    "has-lifespan",
    "the application has a lifespan, so this handler never runs",
    "Call it in the lifespan if it is meant to run, else remove it.",
)
LIST_UNUSED = Reason(
    "list-unused",
    "the application has a lifespan, so Starlette runs nothing that is in this list",
    "Remove this use, or run the lifespan where the handlers are meant to run.",
)
LIFESPAN_CONTEXT = Reason(
    "lifespan-context",
    "`lifespan_context` of the application is replaced as well",
    "Give the application one lifespan that does both.",
)
UNRESOLVED_REGISTRATION = Reason(
    "unresolved",
    "a handler is registered where the application cannot be told: {}",
    "Register it where the application is made, or annotate what it is registered on.",
)
SEVERAL_APPLICATIONS = Reason(
    "shared-handler",
    "the handler is registered on more than one application",
    "Register it on each of them, where they are made.",
)
UNCALLED = Reason(
    "uncalled-function",
    "no call in sight gives an application to `{}`, which registers the handler",
    "Remove the function, or let it be a lifespan that applications are given.",
)
FACTORY = Reason(
    "factory-calls",
    "`{}` makes more applications than the one that the handler is registered on",
    "Register the handler inside the function.",
)
REGISTERED_ELSEWHERE = Reason(
    "elsewhere",
    "a handler is registered in {}",
    "Register it in the file and function that makes the application.",
)
INSTALLER = Reason(
    "installer",
    "`{}` registers handlers of its own, which a lifespan would silence",
    "Use the lifespan that the library offers instead, then run again.",
)
OTHER_FORM = Reason(
    "other-form",
    "the handlers are used in a way that is not followed: `{}`",
    "Register each handler by a statement of its own.",
)
ROUTER_STARTUP = Reason(
    "router-startup",
    "`{}` runs the handlers, and would run nothing",
    "Write `async with app.router.lifespan_context(app):` around what follows.",
)
EVENT_NAME = Reason(
    "event-name",
    "it cannot be told which event `{}` is",
    'Write "startup" or "shutdown".',
)
ASYNC_UNKNOWN = Reason(
    "async-unknown",
    "it cannot be told whether `{}` is awaited",
    "Wrap it into a function of the program, by `async def` if it is to be awaited.",
)
NEVER_AWAITED = Reason(
    "never-awaited",
    "`{}` makes a coroutine that is never awaited: the handler does nothing",
    "Register the coroutine function itself.",
)
HANDLER_PARAMETERS = Reason(
    "handler-parameters",
    "`{}` cannot be called without arguments, so it fails today",
    "Give its parameters defaults, or remove them.",
)
HANDLER_EXPRESSION = Reason(
    "handler-expression",
    "what `{}` is when the application starts cannot be told",
    "Register a function that has a name.",
)
DECORATOR_ORDER = Reason(
    "decorator-order",
    "`{}` stands above the decorator that registers, so that the name is not what is registered",
    "Put the decorator that registers on top.",
)
REBOUND = Reason(
    "name-rebound",
    "`{}` may mean something else when the application starts",
    "Give the handler a name of its own.",
)
CONDITIONAL = Reason(
    "conditional",
    "a handler is registered only in some cases: {}",
    "Register it always, and let it look at the condition.",
)
RUNS_AGAIN = Reason(
    "runs-again",
    "`{}` may run more than once for one application, and registers the handler each time",
    "Call it once for each application.",
)
LOOP = Reason(
    "loop",
    "handlers are registered in a loop",
    "Register one handler that loops.",
)
KEYWORDS = Reason(
    "kwargs",
    "`{}` may hold handlers or a lifespan",
    "Write the arguments out.",
)
OWN_CLASS = Reason(
    "own-class",
    "`{}` is a class of the program that does more than FastAPI's",
    "Give the lifespan to its `super().__init__()` by hand.",
)
NO_PLACE = Reason(
    "no-place",
    "the application is made where no function can be written: {}",
    "Make it by a statement of a module or function.",
)
ROUTER_HANDLER = Reason(
    "router-handler",
    "a router that the application includes has handlers, {}",
    "Call them in the lifespan of the application.",
)
APPLICATION_INCLUDED = Reason(
    "application-included",
    "one application includes the router of the other, and runs the handlers of both in an order "
    "of its own",
    "Move the routes of the inner application to an `APIRouter`, and include that.",
)
UNINCLUDED_ROUTER = Reason(
    "router-not-included",
    "no application in sight includes the router",
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
    "Rename that, or write the lifespan by hand.",
)
BESIDE_LEFT_OUT = Reason(
    "beside-left-out",
    "another handler of the application is left alone",
    "Allow that one as well.",
)

ALL = tuple(one for one in list(globals().values()) if isinstance(one, Reason))
