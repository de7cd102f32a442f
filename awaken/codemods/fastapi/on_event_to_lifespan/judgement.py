"""One application: whether its handlers can move into a lifespan, and the edits that do it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec.structs import replace

from awaken.codemods.fastapi.on_event_to_lifespan.lifespan import Lifespan
from awaken.codemods.fastapi.on_event_to_lifespan.naming import (
    handler_names,
    lifespan_name,
    parameter_name,
)
from awaken.codemods.fastapi.on_event_to_lifespan.payload import (
    ConstructorEdit,
    EnteredEdit,
    FunctionEdit,
    LifespanCode,
    Part,
    StatementEdit,
)
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.placing.inlining import (
    Body,
    body_of,
    head_comments,
)
from awaken.codemods.fastapi.on_event_to_lifespan.placing.reaching import Reaching
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.comments import (
    moved_comments,
    suppressions_behind,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step, emptied_blocks
from awaken.contract import Edit, InsertStatements, NeedImport, NodeEdit, ReleaseImport, SiteId
from awaken.editing.comments import only_suppresses
from awaken.project import Project
from awaken.project.graph.mentions import mentions_of, replaced_in
from awaken.project.names.origins import imported_from
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

_GENERIC_ALIASES = (3, 9)
"""The first Python that takes ``collections.abc.AsyncIterator[None]``."""
_MANAGER = ("contextlib", "asynccontextmanager")


def planned(project: Project, home: Home, steps: Sequence[Step], taken: set[str]) -> Lifespan:
    """Return how the lifespan is written. ``taken`` are names that others of the file have got.

    Raises Refused.
    """
    ordered = sorted(steps, key=lambda one: one.order)
    found = Lifespan(home, ordered)
    local = any(_is_local(home, one) for one in ordered)
    found.nested = home.call is None or (home.function is not None and local)
    handler_names(project, home, ordered)
    reaching = Reaching(project, home)
    for index, step in enumerate(ordered):
        if step.foreign:
            place = step.registration.place
            found.references[index] = reaching.of(
                step.module, step.name, place, imported_first=step.first
            )
    found.comments = moved_comments(home, ordered)
    found.bodies = _bodies(project, found)
    found.name = lifespan_name(home, taken)
    found.parameter = parameter_name(project, found)
    found.caveats = [one for step in ordered for one in step.caveats]
    found.caveats += _replaced(project, found)
    found.iterators = _iterators(project, home.module)
    return found


def _replaced(project: Project, lifespan: Lifespan) -> Iterator[str]:
    """Yield which handlers tests replace: the lifespan finds what stands in their place."""
    for index, step in enumerate(lifespan.steps):
        names = {step.name} if step.function is not None else {one.id for one in step.reads}
        for name in sorted(names) if index not in lifespan.bodies else ():
            if name and replaced_in(project, step.module, name) is not None:
                yield f"tests that replace `{name}` replace it for the lifespan too"


def _iterators(project: Project, module: Module) -> str:
    """Return where the annotation of the lifespan comes from; empty if the file has none."""
    annotates = any(isinstance(one, Function) and one.returns is not None for one in module.walk())
    if not annotates:
        return ""
    return "typing" if project.targets.lowest_python < _GENERIC_ALIASES else "collections.abc"


def _is_local(home: Home, step: Step) -> bool:
    """Whether a handler can only be called inside the function that makes the application."""
    if step.flag or step.kept:
        return True
    if step.foreign:
        return False
    if step.function is not None and step.provider is None:
        return step.module.scopes.scope_of(step.function) is home.scope
    scopes = step.module.scopes
    return any(
        scopes.owner(one.id, scopes.scope_of(one)) is home.scope
        for one in step.reads
        if one.id != home.variable
    )


# ------------------------------------------------------------------------------------- inlining
def _bodies(project: Project, lifespan: Lifespan) -> dict[int, Body]:
    """Return the bodies that stand in the lifespan itself, by the index of their step.

    Only one for each event, all or none, and only if neither can take the other's names for its
    own.
    """
    steps = lifespan.steps
    events = [one.event for one in steps]
    if any(events.count(one) > 1 for one in events):
        return {}
    found: dict[int, Body] = {}
    for index, step in enumerate(steps):
        body = _body(project, lifespan, step)
        if body is None:
            return {}
        found[index] = body
    for index, body in list(found.items()):
        others = [
            _names_of(step, found.get(other)) for other, step in enumerate(steps) if other != index
        ]
        if any(body.bound & names for names in others) or lifespan.home.variable in body.bound:
            return {}
    return found


def _names_of(step: Step, body: Body | None) -> frozenset[str]:
    if body is not None:
        return body.bound | body.read
    return frozenset({step.name, *(one.id for one in step.reads)})


def _body(project: Project, lifespan: Lifespan, step: Step) -> Body | None:
    function = step.function
    if function is None or step.condition or step.foreign or len(function.decorator_list) != 1:
        return None
    scopes = step.module.scopes
    scope = lifespan.home.scope if lifespan.nested else scopes.module
    if scopes.scope_of(function) is not scope:
        return None
    if any(mentions_of(project, step.module, function)):
        return None
    bindings = scope.bindings.get(function.name, [])
    if any(not isinstance(one.node, Function) for one in bindings):
        return None
    return body_of(step.module, function)


# ----------------------------------------------------------------------------------------- edits
def edits_of(lifespan: Lifespan, site: SiteId) -> Iterator[Edit]:
    """Yield all edits that give the application its lifespan."""
    home = lifespan.home
    path = home.module.path
    where, beside = _spot(lifespan)
    yield InsertStatements(
        path=path,
        at=home.module.span(beside),
        where=where,
        rewriter="lifespan",
        data=_code(lifespan),
        site=site,
    )
    if home.call is not None:
        yield NodeEdit(
            path=path,
            anchor=home.module.span(home.call),
            node="Call",
            rewriter="constructor",
            data=ConstructorEdit(lifespan.name),
            site=site,
        )
    yield NeedImport(path=path, module=_MANAGER[0], name=_MANAGER[1], site=site)
    if lifespan.iterators:
        yield NeedImport(path=path, module=lifespan.iterators, name="AsyncIterator", site=site)
    for reference in lifespan.references.values():
        if reference.imported is not None:
            module, name, alias = reference.imported
            yield NeedImport(path=path, module=module, name=name, alias=alias or None, site=site)
    for one in lifespan.entered:
        yield _at(one.module, one.function, "entered", EnteredEdit(one.receiver), site)
    yield from _removals(lifespan, site)
    yield from _released(lifespan, site)


def _spot(lifespan: Lifespan) -> tuple[Literal["before", "after"], ast.stmt]:
    """Return where the lifespan is written: above the application, or below what registers."""
    home = lifespan.home
    if home.call is None:
        last = max(lifespan.steps, key=lambda one: one.order)
        kept = last.function is not None and lifespan.steps.index(last) not in lifespan.bodies
        return ("after", last.function) if last.function and kept else ("before", home.statement)
    if lifespan.nested or home.function is None:
        return "before", home.statement
    return "before", home.outermost


def _released(lifespan: Lifespan, site: SiteId) -> Iterator[ReleaseImport]:
    """Yield the imports of what was registered on, and of what made handlers."""
    for step in lifespan.steps:
        receiver, handler = _receiver(step.registration.node), step.registration.handler
        maker = handler.func if isinstance(handler, ast.Call) else None
        for used in (receiver, maker):
            found = imported_from(step.module, used) if used is not None else None
            if found is not None:
                path, (module, name) = step.module.path, found
                yield ReleaseImport(path=path, module=module, name=name, site=site)


def _receiver(node: ast.expr) -> ast.expr | None:
    while isinstance(node, ast.Call):
        node = node.func
    return node.value if isinstance(node, ast.Attribute) else None


def _removals(lifespan: Lifespan, site: SiteId) -> Iterator[Edit]:
    for block in emptied_blocks(lifespan.steps):
        yield _removal(lifespan, lifespan.home.module, block, site)
    decorated: dict[Function, list[Step]] = {}
    for index, step in enumerate(lifespan.steps):
        function = step.function
        if step.provider is not None:
            yield _removal(lifespan, lifespan.home.module, step.provider, site)
        if function is not None and not step.returned:
            yield InsertStatements(
                path=step.module.path,
                at=step.module.span(function),
                where="after",
                rewriter="inserted",
                data=StatementEdit(f"return {function.name}\n", blank=True),
                site=site,
            )
        if function is None:
            yield from _statement_edits(lifespan, step, site)
        elif index in lifespan.bodies:
            made = _at(step.module, function, "removed-function", None, site)
            head = [one.text for one in head_comments(step.module, function)]
            yield replace(made, drops=tuple(one for one in head if only_suppresses(one)))
        else:
            decorated.setdefault(function, []).append(step)
            if step.flag:
                yield _unset(lifespan, step, site)
    for function, steps in decorated.items():
        edit = FunctionEdit(
            decorators=tuple(function.decorator_list.index(one.registration.node) for one in steps),
            name="" if steps[0].name == function.name else steps[0].name,
            before="".join(f"{one.condition} = True\n" for one in steps[:1] if one.flag),
        )
        made = _at(steps[0].module, function, "function", edit, site)
        yield replace(made, drops=tuple(suppressions_behind(steps)))


def _removal(
    lifespan: Lifespan, module: Module, statement: ast.stmt, site: SiteId, code: str = ""
) -> NodeEdit:
    """Return the edit that takes a statement away with its comments, or puts ``code`` there."""
    comments = lifespan.comments
    edit = StatementEdit(code, comments=tuple(comments.inside.get(statement, ())))
    return replace(
        _at(module, statement, "statement", edit, site),
        lines_above=comments.lines_above.get(statement, 0),
        drops=tuple(comments.drops.get(statement, ())),
    )


def _at(module: Module, node: ast.stmt, rewriter: str, data: object, site: SiteId) -> NodeEdit:
    return NodeEdit(
        path=module.path,
        anchor=module.span(node),
        node=type(node).__name__,
        rewriter=rewriter,
        data=data,
        site=site,
    )


def _statement_edits(lifespan: Lifespan, step: Step, site: SiteId) -> Iterator[Edit]:
    if step.statement is None or step.module.parent(step.statement) in emptied_blocks(
        lifespan.steps
    ):
        return
    code = ""
    if step.kept:
        code = f"{step.name} = {step.kept}\n"
    elif step.flag:
        code = f"{step.condition} = True\n"
    yield _removal(lifespan, step.module, step.statement, site, code)
    if step.flag:
        yield _unset(lifespan, step, site)


def _unset(lifespan: Lifespan, step: Step, site: SiteId) -> InsertStatements:
    """Return the insertion that says, where the application is made, that nothing is registered."""
    home = lifespan.home
    return InsertStatements(
        path=home.module.path,
        at=home.module.span(home.statement),
        where="after",
        rewriter="inserted",
        data=StatementEdit(f"{step.condition} = {None if step.kept else False}\n"),
        site=site,
    )


def _code(lifespan: Lifespan) -> LifespanCode:
    home = lifespan.home
    bodies = lifespan.bodies.values()
    return LifespanCode(
        name=lifespan.name,
        parameter=lifespan.parameter,
        annotation=home.annotation,
        returns="AsyncIterator[None]" if lifespan.iterators else "",
        startup=tuple(_parts(lifespan, "startup")),
        shutdown=tuple(_parts(lifespan, "shutdown")),
        global_names=_together(body.global_names for body in bodies),
        nonlocal_names=_together(body.nonlocal_names for body in bodies),
        first=tuple(
            dict.fromkeys(one.within for one in lifespan.references.values() if one.within)
        ),
        assigned=home.receiver,
        comments=tuple(lifespan.comments.lifespan),
    )


def _together(names: Iterator[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for group in names for one in group))


def _parts(lifespan: Lifespan, event: str) -> Iterator[Part]:
    for index, step in enumerate(lifespan.steps):
        if step.event != event:
            continue
        body = lifespan.bodies.get(index)
        if body is not None:
            yield Part(code=body.source, is_body=True)
            continue
        reference = lifespan.references.get(index)
        name = step.name if reference is None else reference.code
        comments = lifespan.comments.of(index)
        yield Part(
            code=step.code.replace("{}", name, 1),
            condition=step.condition,
            above=tuple(comments.above),
            comment=comments.behind,
            around=tuple(comments.around),
        )
