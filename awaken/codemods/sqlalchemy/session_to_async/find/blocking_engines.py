"""Engines of databases without a known asynchronous driver: they stay as they are.

Code that uses one blocks, and does not wait. That holds only if every use of its connections is
visible, so that none of them is taken for one that becomes asynchronous.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.find.program_mentions import mentions_of
from awaken.kit.rule import ProjectFacts
from awaken.project.frameworks.sqlalchemy.engines.drivers import async_drivers
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, variable_of

if TYPE_CHECKING:
    from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine

_CONNECTING = {"begin", "connect"}


class BlockingEngines(ProjectFacts):
    """Finds them in one program."""

    def is_made_at(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` names what makes one of them."""
        call = module.parent(node)
        made = (module.path, module.span(call)) if isinstance(call, ast.Call) else None
        return made in self._made_values and isinstance(call, ast.Call) and call.func is node

    def is_used_by(self, module: Module, node: ast.expr) -> bool:
        """Whether an operation is one of theirs, or of their connections."""
        if not self._made_values:
            return False
        if self._connects(module, node):
            return True
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name() as held)):
                return self._is_connection(module, held)
        return False

    @cached_property
    def _made_values(self) -> dict[tuple[str, object], str]:
        """The calls that make them, with the names of their variables."""
        result: dict[str, tuple[str, object]] = {}
        for engine in self._project.orm.engines.all():
            name = self._name(engine)
            if name and self._is_blocking(engine):
                result[name] = (engine.module.path, engine.module.span(engine.call))
        for mention in mentions_of(self._project, result) if result else ():
            if not self._is_plain(mention.module, mention.node):
                result.pop(mention.qualified, None)
        return {place: name for name, place in result.items()}

    def _name(self, engine: Engine) -> str:
        module, statement = engine.module, engine.module.statement_of(engine.call)
        name = last_name(variable_of(module.parent(engine.call)))
        is_only = len(module.scopes.module.bindings.get(name, ())) == 1
        return f"{module.name}.{name}" if is_only and statement in module.tree.body else ""

    def _is_blocking(self, engine: Engine) -> bool:
        """Whether the texts of a URL name drivers, and none has a twin."""
        url = self._project.orm.engines.url_of(engine)
        if engine.is_async or url is None or url.outside or not url.texts:
            return False
        names = [text.text.partition("://") for text in url.texts]
        return all(rest and name and not async_drivers(name) for name, rest, _ in names)

    # ------------------------------------------------------------------------------------- uses
    def _is_plain(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node``, such an engine, gives a connection that is only used where it is."""
        method = module.parent(node)
        if not isinstance(method, ast.Attribute) or method.attr not in _CONNECTING:
            return False
        call = module.parent(method)
        item = module.parent(call) if isinstance(call, ast.Call) else None
        if not isinstance(item, ast.withitem):
            return False
        if item.optional_vars is None:
            return True
        held = item.optional_vars
        if not isinstance(held, ast.Name):
            return False
        scope = module.scopes.scope_of(held)
        reads = module.scopes.owner(held.id, scope)
        return (
            reads is not None
            and len(reads.bindings[held.id]) == 1
            and all(
                isinstance(module.parent(mention), ast.Attribute)
                for mention in module.mentions(held.id)
                if isinstance(mention, ast.Name)
                and isinstance(mention.ctx, ast.Load)
                and module.scopes.bindings_of(mention) == reads.bindings[held.id]
            )
        )

    def _connects(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is a call of an engine that connects."""
        match node:
            case ast.Call(func=ast.Attribute(value=engine)):
                name = self._project.qualified_name(module, engine)
                return name is not None and self._defined_name(name) in self._made_values.values()
        return False

    def _defined_name(self, name: str) -> str:
        """Return the name under which a file defines what ``name`` names, over its imports."""
        definition = self._project.definition(name)
        home = None if definition is None else self._project.module(definition.path)
        return name if home is None else f"{home.name}.{name.rpartition('.')[2]}"

    def _is_connection(self, module: Module, node: ast.Name) -> bool:
        bindings = module.scopes.bindings_of(node)
        value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "with" else None
        return value is not None and self._connects(module, value)
