"""Writes what is called in a greenlet: `await greenlet_spawn(lambda: user.posts)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.foreign.incomplete_models import completing_edits
from awaken.codemods.sqlalchemy.session_to_async.foreign.run_sync_calls import opened_lambda
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit, Span
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Site
from awaken.project.frameworks.sqlalchemy.operations import Operation

if TYPE_CHECKING:
    from awaken.project import Project

SPAWN = "sqlalchemy.util.greenlet_spawn"
"""What `AsyncSession.run_sync` is made of: it calls a function in a greenlet, and is awaited."""
_ADAPTER = "pydantic.TypeAdapter"


class InGreenlets:
    """Writes the expressions of one function that may load, and have no session at hand."""

    def __init__(
        self, project: Project, site: Site[ast.AST], insertions: Insertions, awaiting: Awaiting
    ) -> None:
        self._project = project
        self._site = site
        self._insertions = insertions
        self._awaiting = awaiting

    def write(self, operation: Operation) -> Iterator[Edit]:
        """Write one expression, and yield the edits that import what it needs. Raises Refused."""
        spawn, imports = name_from_same_module(self._project, self._site, None, SPAWN)
        yield from imports
        if operation.how == "loading":
            self._reads(operation, spawn)
        else:
            yield from self._validates(operation, spawn)

    def _reads(self, operation: Operation, spawn: str) -> None:
        module, node = self._site.module, operation.node
        refused = Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(node)}`")
        function = opened_lambda(module, node, refused)
        opening, closing = (f"{operation.method}(", ")") if operation.method else ("", "")
        if operation.session is not None:
            self._hands(node, operation.session, (f"{spawn}(lambda found: {opening}", closing))
        else:
            self._awaiting.runs_inside(node, f"{spawn}({function} {opening}", closing)

    def _hands(self, node: ast.expr, owner: ast.expr, around: tuple[str, str]) -> None:
        """Have a lambda read of ``owner``, which may wait itself. Raises Refused."""
        module, text = self._site.module, self._site.module.source.text
        start, end = module.span(node).start, module.span(node).end
        head = text[start : module.span(owner).start]
        behind = module.span(owner).end
        for _ in range(head.count(b"(")):
            behind = text.index(b")", behind) + 1
        read = text[behind:end]
        if b"#" in head or b"#" in text[module.span(owner).end : end]:
            raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(node)}`")
        opening, closing = around
        self._awaiting.keeps(node)
        before, after = self._awaiting.await_texts(node)
        steps = f"found{read.decode().strip()}{closing}"
        self._insertions.wrap(node, f"{before}{opening}{steps}, ", "")
        self._insertions.replace(Span(behind, end), f"){after}")

    def _validates(self, operation: Operation, spawn: str) -> Iterator[Edit]:
        """Have what an endpoint returns validated as FastAPI does it, which finds it done."""
        module, function = self._site.module, operation.why
        if operation.method == "validate_python":
            adapter, imports = name_from_same_module(self._project, self._site, None, _ADAPTER)
            yield from imports
            function = f"{adapter}({function})"
        named = module.mentions(function.rpartition(".")[2])
        models = [node for node in named if isinstance(node, ast.Name | ast.Attribute)]
        model = next((node for node in models if module.text_of(node) == function), None)
        yield from completing_edits(self._project, self._site, operation.node, model)
        self._awaiting.keeps(operation.node)
        span = module.span(operation.node)
        # Outside of all that is awaited in it.
        opening = f"await {spawn}({function}.{operation.method}, "
        self._insertions.insert_at(span.start, opening)
        self._insertions.insert_at(span.end, ", from_attributes=True)")
