"""Engines that stay as they are: of a database without an asynchronous driver, and of a probe.

Code that uses one blocks, and does not wait. That holds only if every use of its connections is
visible, so that none of them is taken for one that becomes asynchronous. A file that is imported
makes the engine of a probe, and connects, in one `try`.

A function that only files of Alembic call makes its own engine there. One that asks Alembic for its
operations or its context only works there.
"""

from __future__ import annotations

import ast
from operator import attrgetter
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.find.idle import mentions_of
from awaken.kit.rule import ProjectFacts
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import async_drivers
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_by, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import FunctionOrLambda, last_name, variable_of

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
        trying: dict[str, ast.Try | None] = {}
        for engine in self._project.orm.engines.all():
            name, tried = self._name(engine), tried_at_import(engine.module, engine.call)
            is_top = engine.module.statement_of(engine.call) in engine.module.tree.body
            if name and (tried is not None or (is_top and self._is_blocking(engine))):
                result[name] = (engine.module.path, engine.module.span(engine.call))
                trying[name] = tried
        for mention in mentions_of(self._project, result) if result else ():
            call, tried = connecting_call(mention.module, mention.node), trying[mention.qualified]
            is_plain = call is not None and connection_calls(mention.module, call) is not None
            if not is_plain or (tried and tried is not tried_at_import(mention.module, call)):
                result.pop(mention.qualified, None)
        return {place: name for name, place in result.items()}

    def _name(self, engine: Engine) -> str:
        module, variable = engine.module, variable_of(engine.module.statement_of(engine.call))
        name = last_name(variable)
        is_only = len(module.scopes.module.bindings.get(name, ())) == 1
        return f"{module.name}.{name}" if variable is not None and is_only else ""

    def _is_blocking(self, engine: Engine) -> bool:
        """Whether the texts of a URL name drivers, and none has a twin."""
        url = self._project.orm.engines.url_of(engine)
        if engine.is_async or url is None or url.outside or not url.texts:
            return False
        names = [text.text.partition("://") for text in url.texts]
        return all(rest and name and not async_drivers(name) for name, rest, _ in names)

    # ------------------------------------------------------------------------------------- uses
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
        value = module.scopes.only_value(node, "with", "assignment")
        return value is not None and self._connects(module, value)


def tried_at_import(module: Module, node: ast.AST | None) -> ast.Try | None:
    """Return the innermost `try` that runs ``node`` for a file that is imported, if there is one.

    The `try` has a handler. A loop around ``node`` would make several engines.
    """
    steps = [] if node is None else module.steps_up(node)
    for below, above in steps:
        if isinstance(above, FunctionOrLambda | ast.ClassDef | ast.For | ast.While):
            return None
        if isinstance(above, ast.Try) and below in above.body and above.handlers:
            is_outside = module.scopes.scope_of(above).kind == "module"
            return above if is_outside else None
    return None


def connection_calls(module: Module, call: ast.Call) -> list[ast.Call] | None:
    """Return the calls of methods of the connection that ``call`` gives, where nothing keeps it.

    None where something else may use it.
    """
    match module.parent(call):
        case ast.Expr() | ast.withitem(optional_vars=None):
            return []
        case (
            ast.Assign(targets=[ast.Name() as held])
            | ast.withitem(optional_vars=ast.Name() as held)
        ):
            pass
        case _:
            return None
    owner = module.scopes.owner(held.id, module.scopes.scope_of(held))
    if owner is None or len(owner.bindings[held.id]) != 1:
        return None
    reads = module.scopes.reads_in(owner, held.id)
    if not all(isinstance(module.parent(read), ast.Attribute) for read in reads):
        return None
    return [method for read in reads if (method := module.method_call_on(read)) is not None]


def connecting_call(module: Module, engine: ast.expr) -> ast.Call | None:
    """Return the call that gets a connection of ``engine``; None for any other use."""
    method = module.parent(engine)
    is_method = isinstance(method, ast.Attribute) and method.attr in _CONNECTING
    return module.method_call_on(engine) if is_method else None


class Helpers(ProjectFacts):
    """Knows those of one program: their work with their engine stays synchronous."""

    def hold(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is inside one of them."""
        around = function_around(module, node)
        if around is None:
            return False
        return module.span(around).start in self._in_file(module)

    @cached_by(attrgetter("path"))
    def _in_file(self, module: Module) -> set[int]:
        makers = (
            function_around(module, item.call) for item in self._project.orm.engines.in_file(module)
        )
        return {
            module.span(maker).start
            for maker in makers
            if maker is not None
            and (self._asks(module, maker) or self._serves(module, module.span(maker).start))
        }

    def _asks(self, module: Module, function: ast.AST) -> bool:
        """Whether a function names what is there only while revisions run."""
        return any(
            isinstance(node, ast.Name)
            and self._project.qualified_name(module, node) in {"alembic.context", "alembic.op"}
            for node in module.walk(function)
        )

    def _serves(self, module: Module, start: int) -> bool:
        graph = self._project.calls.graph()
        function = graph.function_at(module.path, start)
        callers = [] if function is None else graph.callers(function)
        files = [self._project.module(caller.place.path) for caller in callers]
        return bool(files) and all(file is not None and is_of_alembic(file) for file in files)
