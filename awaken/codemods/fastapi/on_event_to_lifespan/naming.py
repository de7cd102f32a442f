"""Names for what is written, so that none hides another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.lifespan import Lifespan
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.registration_conditions import (
    in_one_branch,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.graph.function_mentions import mentions_of
from awaken.project.source.trees import Function

_DOTTED = re.compile(r"(?:await )?[\w.]+\(\)")


def lifespan_name(home: Home, taken: set[str]) -> str:
    """Return the name of the lifespan: one that nothing in the file uses."""
    own = f"{home.variable or 'application'}_lifespan"
    # The variable distinguishes a second application of the file.
    candidates = ["lifespan", own] if "lifespan" in taken else ["lifespan", "app_lifespan", own]
    scopes = home.module.scopes
    # Names in strings may be read by `getattr` or `mock.patch`.
    return scopes.fresh_name(*candidates, taken=taken | scopes.names_in_strings())


def parameter_name(project: Project, lifespan: Lifespan) -> str:
    """Return the parameter of the lifespan: ``app``, unless that means something else there."""
    if not lifespan.nested and _reads_local(lifespan):
        return lifespan.home.variable
    # The parameter must not hide a name that the handlers read.
    read = {name.id for step in lifespan.steps for name in step.reads}
    read |= {step.name for step in lifespan.steps}
    read |= {reference.code.partition(".")[0] for reference in lifespan.references.values()}
    bound: set[str] = set()
    for body in lifespan.bodies.values():
        read |= body.read
        bound |= body.bound
    for candidate in ("app", "application", "_app"):
        same = candidate not in read or _is_the_application(project, lifespan, candidate)
        if candidate not in bound and same:
            return candidate
    return lifespan.home.module.scopes.fresh_name("_app")


def _reads_local(lifespan: Lifespan) -> bool:
    """Whether the calls name the application as the function does that makes it."""
    home = lifespan.home
    scopes = home.module.scopes
    return home.function is not None and any(
        read.id == home.variable and scopes.owner(read.id, scopes.scope_of(read)) is home.scope
        for step in lifespan.steps
        if step.module.path == home.module.path or step.provider is not None
        for read in step.reads
    )


def _is_the_application(project: Project, lifespan: Lifespan, name: str) -> bool:
    """Whether a name means the application itself where the lifespan is written, and always."""
    home = lifespan.home
    scopes = home.module.scopes
    owner = scopes.owner(name, home.scope if lifespan.nested else scopes.module)
    bindings = [] if owner is None else owner.bindings_of(name)
    # A registrar is given its application, so the name is a parameter.
    if len(bindings) == 1 and home.call is None:
        return name == home.variable
    if len(bindings) != 1 or bindings[0].value is None:
        return False
    setting = project.web.applications.applications_of(home.module, bindings[0].value)
    return setting.only_application == home.application


def handler_names(project: Project, home: Home, steps: Sequence[Step]) -> None:
    """Give every step the name by which the lifespan calls its handler. Raises Refused.

    Of several functions with one name, only the last can be called by it: the others get a name
    of their own, if nobody else reads the old one.
    """
    # The names belong to the files of the handlers, not to that of the application.
    del home
    taken: set[str] = set()
    for step in steps:
        function = step.function
        if function is not None:
            step.name = _name_of_function(project, step, function, taken)
        elif step.foreign:
            continue
        elif step.kept or step.flag:
            step.name = _name_of_handler(step, taken)
        taken.add(step.name)
        if step.flag:
            step.condition = step.name if step.kept else _flag(step, taken)
            taken.add(step.condition)
    _share_flags(steps)


def _share_flags(steps: Sequence[Step]) -> None:
    """Let handlers that are registered together ask one flag, which the first of them sets."""
    setting = [candidate for candidate in steps if candidate.flag and not candidate.kept]
    for index, step in enumerate(setting):
        first = next((item for item in setting[:index] if _is_together(item, step)), None)
        if first is not None:
            step.flag, step.condition = False, first.condition


def _is_together(one: Step, other: Step) -> bool:
    return (
        one.module is other.module
        and one.statement is not None
        and other.statement is not None
        and in_one_branch(one.module, one.statement, other.statement)
    )


def _name_of_function(project: Project, step: Step, function: Function, taken: set[str]) -> str:
    scopes = step.module.scopes
    bindings = scopes.scope_of(function).bindings_of(function.name)
    if bindings[-1].node is function and len(bindings) == 1:
        return function.name
    place = step.module.place(function)
    if not all(isinstance(binding.node, Function) for binding in bindings):
        raise Refused(reasons.REBOUND, function.name, because=(place,))
    # The last definition is the one that the name means at the start.
    if bindings[-1].node is function:
        return function.name
    if any(mentions_of(project, step.module, function)):
        raise Refused(reasons.REBOUND, function.name, because=(place,))
    number = 1 + [binding.node for binding in bindings].index(function)
    return scopes.fresh_name(f"{function.name}_{number}", taken=taken)


def _name_of_handler(step: Step, taken: set[str]) -> str:
    words = re.findall(r"[A-Za-z_]\w*", step.code.replace("await ", ""))
    if not step.kept:
        return "_".join(words) if _DOTTED.fullmatch(step.code) else step.event
    return step.module.scopes.fresh_name(f"{step.event}_handler", taken=taken)


def _flag(step: Step, taken: set[str]) -> str:
    """Return the variable that says whether the handler was registered."""
    base = f"_{step.name.lstrip('_')}_registered"
    return step.module.scopes.fresh_name(base, taken=taken)
