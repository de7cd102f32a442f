"""Probes: a file connects in a `try` when it is imported, and the handler decides something.

Nothing awaits there, and nothing may happen later. So a probe keeps an engine that is synchronous,
of the same URL.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.components.engines.beside import beside_caveat
from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import urls_in, varies
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import (
    connecting_call,
    connection_calls,
    tried_at_import,
)
from awaken.codemods.sqlalchemy.session_to_async.resources.database_urls import Urls
from awaken.contract import Edit
from awaken.kit.changes import Member
from awaken.kit.sites import Rewrite, Site
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.modules import Module
from awaken.project.source.trees import variable_of


class Probe(Struct, frozen=True):
    """An ``engine`` that a call connects, the statement that made it, and what waits for both."""

    engine: ast.Name
    call: ast.Call
    made: ast.Assign
    nodes: Sequence[ast.expr]


class Probes:
    """Finds them in a program, and writes their engines."""

    def __init__(self, part: SynchronousPart, rule: str, urls: Urls) -> None:
        self._project = part.project
        self._rule = rule
        self._urls = urls

    def of_file(self, module: Module, operations: Sequence[Operation]) -> Iterator[Probe]:
        """Yield the probes among the operations that ``module`` performs when it is imported."""
        for operation in operations:
            match operation.node:
                case ast.Call(func=ast.Attribute(value=ast.Name() as engine)) as call if (
                    tried_at_import(module, call) is not None
                    and connecting_call(module, engine) is call
                    and (used := connection_calls(module, call)) is not None
                    and (made := _made_before(module, engine)) is not None
                    and self._is_same(module, made, engine)
                ):
                    yield Probe(engine, call, made, [call, *used])

    def member(self, module: Module, probe: Probe) -> Member:
        """Return what gives a probe an engine of its own, of the text of the other."""
        site: Site[ast.AST] = Site(self._rule, module, probe.call)
        name = module.scopes.fresh_name(f"sync_{probe.engine.id}")
        margin = " " * probe.made.col_offset
        lines = module.text_of(probe.made.value).splitlines()
        code = f"{name} = " + "".join(f"{line.removeprefix(margin)}\n" for line in lines)
        before = module.place(module.statement_of(probe.call) or probe.call)
        edits: list[Edit] = [
            site.insert_statements(before, "before", code),
            site.replace(probe.engine, name),
        ]
        shown = f"`{module.excerpt(probe.call)}`"
        caveat = beside_caveat(urls_in(self._project, module, module.place(probe.made)))
        message = f"{shown} connects with a synchronous engine of its own"
        return Member(site, Rewrite(message, edits, [caveat]), shown)

    def _is_same(self, module: Module, made: ast.Assign, engine: ast.Name) -> bool:
        """Whether the text of ``made`` makes another ``engine`` of its database at a probe."""
        engines = self._project.orm.engines
        inside = [
            item
            for item in engines.in_file(module)
            if module.span(made).contains(module.span(item.call))
        ]
        if len(inside) != 1 or inside[0].is_async or engines.is_in_memory(inside[0]):
            return False
        if self._urls.is_written_elsewhere(inside[0]) or varies(self._project, module, made):
            return False
        bound = module.scopes.module.bindings
        end, start = module.span(made).end, module.span(engine).start
        names = {name.id for name in module.nodes_below(made.value, ast.Name)}
        return not any(
            end <= module.span(binding.node).start < start
            for name in sorted(names)
            for binding in bound.get(name, ())
        )


def _made_before(module: Module, engine: ast.Name) -> ast.Assign | None:
    """Return the assignment that surely gave ``engine`` its value, in a block around it."""
    bindings = [module.span(item.node) for item in module.scopes.bindings_of(engine)]
    around = (below for below, _ in module.steps_up(engine) if isinstance(below, ast.stmt))
    for below in around:
        block = module.block_of(below)
        for statement in reversed(block[: block.index(below)]):
            if any(module.span(statement).contains(binding) for binding in bindings):
                is_made = variable_of(statement) is not None
                return statement if is_made and isinstance(statement, ast.Assign) else None
    return None
