"""The composition of a lifespan out of its steps: bodies, references, names and caveats."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.lifespan import Body, Lifespan, Reaching, body_of
from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.step_comments import moved_comments
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.timing import (
    in_one_branch,
)
from awaken.contract import Place
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.source.modules import Module
from awaken.project.source.programs.program import Program
from awaken.project.source.trees import Function

_GENERIC_ALIASES = (3, 9)
"""The first Python that takes ``collections.abc.AsyncIterator[None]``."""
_NAMES_OF_FUNCTIONS = (
    *(b"funcName", b"{function}", b"func_name", b"FUNC_NAME"),
    *(b"currentframe", b"_getframe", b"stack(", b"import stack"),
)
"""What shows which function runs: formats of ``logging``, loguru and structlog, frames."""
_DOTTED = re.compile(r"(?:await )?[\w.]+\(\)")


def mentions_of(project: Program, module: Module, function: Function) -> Iterator[Place]:
    """Yield what may refer to ``function``, in its own file and in all others.

    Its own file is searched for the name in its scope and for strings. Others are searched for
    imports, for reads from its module, and for strings with the module (``"main:startup"``).
    """
    name = function.name
    scope = module.scopes.scope_of(function)
    for node in module.mentions(name):
        scopes = module.scopes
        reads = isinstance(node, ast.Name) and scopes.owner(name, scopes.scope_of(node)) is scope
        if reads or (isinstance(node, ast.Constant) and _names(module, name, node)):
            yield module.place(node)
    exported = scope.kind == "module" and name in _exports(module)
    if exported:
        yield module.place(function)
    if scope.kind != "module":
        return
    for other in project.modules_at(project.files_with([name.encode()])):
        for node in other.mentions(name) if other.path != module.path else ():
            if _refers(project, other, node, module, name):
                yield other.place(node)


def _exports(module: Module) -> set[str]:
    values = [item.value for item in module.scopes.module.bindings.get("__all__", []) if item.value]
    return {
        node.value
        for value in values
        for node in module.nodes_below(value, ast.Constant)
        if isinstance(node.value, str)
    }


def _names(home: Module, name: str, node: ast.Constant) -> bool:
    """Whether a string names the function after its module, as ``"app.main:startup"`` does."""
    if not isinstance(node.value, str):
        return False
    last = home.name.rpartition(".")[2]
    return any(node.value.endswith(f"{last}{mark}{name}") for mark in (".", ":"))


def _refers(project: Program, other: Module, node: ast.AST, home: Module, name: str) -> bool:
    match node:
        case ast.Constant():
            return _names(home, name, node)
        case ast.Name() | ast.Attribute():
            if project.qualified_name(other, node) == f"{home.name}.{name}":
                return True
            last = home.name.rpartition(".")[2]
            # A name equal to the module's counts as the module, if nothing else defines it.
            value = node.value if isinstance(node, ast.Attribute) else None
            return isinstance(value, ast.Name) and value.id == last
        case ast.alias():
            statement = other.parent(node)
            if not isinstance(statement, ast.ImportFrom):
                return False
            source = statement.module or ""
            # ``from . import startup`` names no module.
            return source.rpartition(".")[2] in {home.name.rpartition(".")[2], ""}
    return False


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
    _handler_names(project, home, ordered)
    reaching = Reaching(project, home)
    for index, step in enumerate(ordered):
        if step.foreign:
            place = step.registration.place
            lifespan.references[index] = reaching.reference_to(
                step.module, step.name, place, imported_first=step.first
            )
    lifespan.comments = moved_comments(home, ordered)
    lifespan.bodies = _bodies(project, lifespan)
    lifespan.name = _lifespan_name(home, taken)
    lifespan.parameter = _parameter_name(project, lifespan)
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
            if name and project.replaced_names.of_name(f"{step.module.name}.{name}"):
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


def _lifespan_name(home: Home, taken: set[str]) -> str:
    """Return the name of the lifespan: one that nothing in the file uses."""
    own = f"{home.variable or 'application'}_lifespan"
    # The variable distinguishes a second application of the file.
    candidates = ["lifespan", own] if "lifespan" in taken else ["lifespan", "app_lifespan", own]
    scopes = home.module.scopes
    # Names in strings may be read by `getattr` or `mock.patch`.
    return scopes.fresh_name(*candidates, taken=taken | scopes.names_in_strings())


def _parameter_name(project: Project, lifespan: Lifespan) -> str:
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


def _handler_names(project: Project, home: Home, steps: Sequence[Step]) -> None:
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
