"""The composition of a lifespan out of its steps: bodies, references, names and caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from awaken.codemods.fastapi.on_event_to_lifespan.lifespan import Lifespan
from awaken.codemods.fastapi.on_event_to_lifespan.naming import (
    handler_names,
    lifespan_name,
    parameter_name,
)
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.placing.inlining import Body, body_of
from awaken.codemods.fastapi.on_event_to_lifespan.placing.reaching import Reaching
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.step_comments import moved_comments
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step
from awaken.project import Project
from awaken.project.graph.function_mentions import mentions_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

_GENERIC_ALIASES = (3, 9)
"""The first Python that takes ``collections.abc.AsyncIterator[None]``."""

_NAMES_OF_FUNCTIONS = (b"funcName", b"{function}", b"currentframe", b"_getframe", b"inspect.stack")
"""What shows which function runs: formats of ``logging`` and of loguru, frames."""


def compose_lifespan(
    project: Project, home: Home, steps: Sequence[Step], taken: set[str]
) -> Lifespan:
    """Return how the lifespan is written. ``taken`` are names that others of the file have got.

    Raises Refused.
    """
    # FastAPI runs shutdown handlers in the order of registration too, not in reverse.
    ordered = sorted(steps, key=lambda item: item.order)
    lifespan = Lifespan(home, ordered)
    local = any(_is_local(home, candidate) for candidate in ordered)
    # A local handler can only be named inside the function that makes the application.
    lifespan.nested = home.call is None or (home.function is not None and local)
    handler_names(project, home, ordered)
    reaching = Reaching(project, home)
    for index, step in enumerate(ordered):
        if step.foreign:
            place = step.registration.place
            lifespan.references[index] = reaching.reference_to(
                step.module, step.name, place, imported_first=step.first
            )
    lifespan.comments = moved_comments(home, ordered)
    lifespan.bodies = _bodies(project, lifespan)
    lifespan.name = lifespan_name(home, taken)
    lifespan.parameter = parameter_name(project, lifespan)
    lifespan.caveats = [caveat for step in ordered for caveat in step.caveats]
    lifespan.caveats += _replaced_handlers(project, lifespan)
    lifespan.iterators = _iterators(project, home.module)
    return lifespan


def _replaced_handlers(project: Project, lifespan: Lifespan) -> Iterator[str]:
    """Yield the handlers that tests replace: the lifespan calls the replacement."""
    for index, step in enumerate(lifespan.steps):
        names = {step.name} if step.function is not None else {read.id for read in step.reads}
        # A body that moved has no name left for a test to replace.
        for name in sorted(names) if index not in lifespan.bodies else ():
            if name and project.replaced_names.of_variable(step.module, name):
                yield f"tests that replace `{name}` now also replace it in the lifespan"


def _iterators(project: Project, module: Module) -> str:
    """Return where the annotation of the lifespan comes from; empty if the file has none."""
    # A file without annotations keeps its style.
    annotates = any(isinstance(one, Function) and one.returns is not None for one in module.walk())
    if not annotates:
        return ""
    return "typing" if project.targets.lowest_python < _GENERIC_ALIASES else "collections.abc"


def _is_local(home: Home, step: Step) -> bool:
    """Whether a handler can only be called inside the function that makes the application."""
    # Both are variables next to the registration.
    if step.flag or step.kept:
        return True
    if step.foreign:
        return False
    if step.function is not None and step.provider is None:
        return step.module.scopes.scope_of(step.function) is home.scope
    scopes = step.module.scopes
    return any(
        scopes.owner(read.id, scopes.scope_of(read)) is home.scope
        for read in step.reads
        # The lifespan gets the application itself as its parameter.
        if read.id != home.variable
    )


# ------------------------------------------------------------------------------------- inlining
def _bodies(project: Project, lifespan: Lifespan) -> dict[int, Body]:
    """Return the bodies that move into the lifespan itself, by the index of their step.

    Only one for each event, all or none, and only if neither can take the other's names for its
    own.
    """
    # A handler that goes on in the lifespan has another name there.
    if project.files_with(_NAMES_OF_FUNCTIONS):
        return {}
    steps = lifespan.steps
    events = [item.event for item in steps]
    # Two bodies in a row would share their locals.
    if any(events.count(event) > 1 for event in events):
        return {}
    bodies: dict[int, Body] = {}
    for index, step in enumerate(steps):
        body = _body(project, lifespan, step)
        if body is None:
            return {}
        bodies[index] = body
    for index, body in list(bodies.items()):
        others = [
            _names_of(step, bodies.get(other)) for other, step in enumerate(steps) if other != index
        ]
        if any(body.bound & names for names in others) or lifespan.home.variable in body.bound:
            return {}
    return bodies


def _names_of(step: Step, body: Body | None) -> frozenset[str]:
    if body is not None:
        return body.bound | body.read
    return frozenset({step.name, *(read.id for read in step.reads)})


def _body(project: Project, lifespan: Lifespan, step: Step) -> Body | None:
    function = step.function
    # Another decorator would be lost with the head.
    if function is None or step.condition or step.foreign or len(function.decorator_list) != 1:
        return None
    scopes = step.module.scopes
    scope = lifespan.home.scope if lifespan.nested else scopes.module
    if scopes.scope_of(function) is not scope:
        return None
    # Tests and other modules may call the handler directly.
    if any(mentions_of(project, step.module, function)):
        return None
    bindings = scope.bindings_of(function.name)
    # The name is rebound, so it may not mean this function at the start.
    if any(not isinstance(binding.node, Function) for binding in bindings):
        return None
    return body_of(step.module, function)
