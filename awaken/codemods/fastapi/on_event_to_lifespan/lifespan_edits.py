"""The edits that write a lifespan, and take away what registered its handlers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec.structs import replace

from awaken.codemods.fastapi.on_event_to_lifespan.lifespan import Lifespan, head_comments
from awaken.codemods.fastapi.on_event_to_lifespan.payload import (
    ConstructorEdit,
    EnteredEdit,
    FunctionEdit,
    LifespanCode,
    Part,
    StatementEdit,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.step_comments import (
    suppressions_behind,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step, emptied_blocks
from awaken.contract import Edit, InsertStatements, NeedImport, NodeEdit, ReleaseImport, SiteId
from awaken.editing.comments import only_suppresses
from awaken.kit.payloads import REMOVE_STATEMENT
from awaken.kit.sites import node_edit
from awaken.project.names.import_origins import imported_from
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

_MANAGER = ("contextlib", "asynccontextmanager")


def edits_of(lifespan: Lifespan, site: SiteId) -> Iterator[Edit]:
    """Yield all edits that give the application its lifespan."""
    home = lifespan.home
    path = home.module.path
    where, beside = _spot(lifespan)
    yield InsertStatements(
        path=path,
        at=home.module.span(beside),
        where=where,
        rewriter="write-lifespan",
        data=_code(lifespan),
        site=site,
    )
    if home.call is not None:
        data = ConstructorEdit(lifespan.name)
        yield node_edit(home.module, home.call, "edit-constructor", data, site)
    yield NeedImport(path=path, module=_MANAGER[0], name=_MANAGER[1], site=site)
    if lifespan.iterators:
        yield NeedImport(path=path, module=lifespan.iterators, name="AsyncIterator", site=site)
    for reference in lifespan.references.values():
        if reference.imported is not None:
            module, name, alias = reference.imported
            yield NeedImport(path=path, module=module, name=name, alias=alias or None, site=site)
    for entry in lifespan.entered:
        yield node_edit(
            entry.module, entry.function, "enter-lifespan", EnteredEdit(entry.receiver), site
        )
    yield from _removals(lifespan, site)
    yield from _released_imports(lifespan, site)


def _spot(lifespan: Lifespan) -> tuple[Literal["before", "after"], ast.stmt]:
    """Return where the lifespan is written: above the application, or below what registers."""
    home = lifespan.home
    if home.call is None:
        last = max(lifespan.steps, key=lambda step: step.order)
        kept = last.function is not None and lifespan.steps.index(last) not in lifespan.bodies
        # The handlers must be defined before the statement that uses the lifespan.
        return ("after", last.function) if last.function and kept else ("before", home.statement)
    if lifespan.nested or home.function is None:
        return "before", home.statement
    # A lifespan at the top of the module can be imported and tested alone.
    return "before", home.outermost


def _released_imports(lifespan: Lifespan, site: SiteId) -> Iterator[ReleaseImport]:
    """Yield the imports of what was registered on, and of what made handlers."""
    for step in lifespan.steps:
        receiver, handler = _receiver(step.registration.node), step.registration.handler
        maker = handler.func if isinstance(handler, ast.Call) else None
        # The import of either may now be unused.
        for used in (receiver, maker):
            pair = imported_from(step.module, used) if used is not None else None
            if pair is not None:
                path, (module, name) = step.module.path, pair
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
        # The provider's call now has to give the handler to the lifespan.
        if function is not None and not step.returned:
            yield InsertStatements(
                path=step.module.path,
                at=step.module.span(function),
                where="after",
                rewriter="insert-statement",
                data=StatementEdit(f"return {function.name}\n", blank=True),
                site=site,
            )
        if function is None:
            yield from _statement_edits(lifespan, step, site)
        elif index in lifespan.bodies:
            # A suppression for the old head no longer has anything to suppress.
            made = node_edit(step.module, function, REMOVE_STATEMENT, None, site)
            head = [head_comment.text for head_comment in head_comments(step.module, function)]
            yield replace(made, drops=tuple(name for name in head if only_suppresses(name)))
        else:
            # One function may have both events: its decorators go in one edit.
            decorated.setdefault(function, []).append(step)
            if step.flag:
                yield _unset(lifespan, step, site)
    for function, steps in decorated.items():
        edit = FunctionEdit(
            decorators=tuple(function.decorator_list.index(one.registration.node) for one in steps),
            name="" if steps[0].name == function.name else steps[0].name,
            before="".join(f"{item.condition} = True\n" for item in steps[:1] if item.flag),
        )
        made = node_edit(steps[0].module, function, "edit-function", edit, site)
        yield replace(made, drops=tuple(suppressions_behind(steps)))


def _removal(
    lifespan: Lifespan, module: Module, statement: ast.stmt, site: SiteId, code: str = ""
) -> NodeEdit:
    """Return the edit that takes a statement away with its comments, or puts ``code`` there."""
    comments = lifespan.comments
    edit = StatementEdit(code, comments=tuple(comments.inside.get(statement, ())))
    return replace(
        node_edit(module, statement, "edit-statement", edit, site),
        lines_above=comments.lines_above.get(statement, 0),
        drops=tuple(comments.drops.get(statement, ())),
    )


def _statement_edits(lifespan: Lifespan, step: Step, site: SiteId) -> Iterator[Edit]:
    # The edit of the whole block takes this statement with it.
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
        rewriter="insert-statement",
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
        # A second `global x` after a use of `x` is a SyntaxError.
        global_names=_names_together(body.global_names for body in bodies),
        nonlocal_names=_names_together(body.nonlocal_names for body in bodies),
        first=tuple(
            dict.fromkeys(item.within for item in lifespan.references.values() if item.within)
        ),
        assigned=home.receiver,
        comments=tuple(lifespan.comments.lifespan),
    )


def _names_together(names: Iterator[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in names for name in group))


def _parts(lifespan: Lifespan, event: str) -> Iterator[Part]:
    for index, step in enumerate(lifespan.steps):
        if step.event != event:
            continue
        body = lifespan.bodies.get(index)
        if body is not None:
            yield Part(code=body.source, is_body=True)
            continue
        reference = lifespan.references.get(index)
        # Only the first braces are the placeholder; the handler's own text may have more.
        name = step.name if reference is None else reference.code
        comments = lifespan.comments.comments_of(index)
        yield Part(
            code=step.code.replace("{}", name, 1),
            condition=step.condition,
            above=tuple(comments.above),
            comment=comments.behind,
            around=tuple(comments.around),
        )
