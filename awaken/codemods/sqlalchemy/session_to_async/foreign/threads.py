"""Functions that a helper of the program runs in a thread: as coroutine functions they are called.

``await in_thread(load, db)`` becomes ``await load(db)``: in a thread nothing awaits it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart
from awaken.contract import Edit, Span, TextEdit
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.source.modules import Module
from awaken.project.values.domain import FunctionOf


def calls_in_threads(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the calls of helpers that are given a function that becomes a coroutine function."""
    steps = {(one.path, one.start) for one in part.steps}
    names = sorted({one.qualname.rpartition(".")[2] for one in part.steps})
    for path in part.project.files_with([name.encode() for name in names]):
        module = part.project.module(path)
        for name in names if module is not None else ():
            for node in module.mentions(name) if module is not None else ():
                if module is None or not isinstance(node, ast.Name | ast.Attribute):
                    continue
                call = module.parent(node)
                is_run = part.project.calls.is_run_in_thread(module, node)
                if is_run and isinstance(call, ast.Call) and _is_of(part, module, node, steps):
                    yield _called(Site(rule, module, call), call)


def _is_of(
    part: SynchronousPart, module: Module, node: ast.expr, steps: set[tuple[str, int]]
) -> bool:
    values = part.project.values.of(module, node).alternatives
    return all(
        isinstance(one, FunctionOf) and (one.module.path, one.module.span(one.node).start) in steps
        for one in values
    )


def _called(site: Site[ast.AST], call: ast.Call) -> Member:
    """Return what calls the function itself, in the place of the helper."""
    module, first = site.module, call.args[0]
    shown = module.text_of(first)
    others = [*call.args[1:], *call.keywords]
    end = min((module.span(one).start for one in others), default=module.span(call).end - 1)
    # Two stars, or one, stand before what they unpack.
    for one in others:
        if isinstance(one, ast.keyword) and one.arg is None:
            end = min(end, module.span(one.value).start - 2)
    edits: list[Edit] = [
        site.replace(call.func, shown),
        TextEdit(
            path=module.path,
            anchor=Span(module.span(first).start, end),
            text="",
            site=site.id,
        ),
    ]
    message = f"`{shown}` is called in the event loop"
    caveat = "what else blocks in it holds up the event loop"
    return Member(site, Rewrite(message, edits, [caveat]), f"`{module.excerpt(call)}`")
