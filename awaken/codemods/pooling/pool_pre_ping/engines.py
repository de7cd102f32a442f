"""The engines that a program keeps: those whose connections may grow old in a pool."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.project.names.tables import dotted_name
from awaken.project.source.test_files import is_test_file
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

CREATING = {
    "sqlalchemy.create_engine",
    "sqlalchemy.ext.asyncio.create_async_engine",
    "sqlmodel.create_engine",
}
CONFIGURING = {
    "sqlalchemy.engine_from_config",
    "sqlalchemy.ext.asyncio.async_engine_from_config",
}
_WITHOUT_CONNECTIONS = {"NullPool", "StaticPool"}
_FACTORIES = {"async_sessionmaker", "scoped_session", "sessionmaker"}
_PASSING = {"alembic", "migrations", "scripts", "versions"}
"""Folders of what runs once and ends."""
_PING = "pool_pre_ping"


@dataclass(frozen=True, slots=True)
class Engine:
    """One call that makes an engine that is kept and asks for nothing about its health."""

    call: ast.Call
    configured: bool

    @property
    def options(self) -> dict[str, ast.expr]:
        """The keyword arguments."""
        return {one.arg: one.value for one in self.call.keywords if one.arg is not None}

    @property
    def unpacked(self) -> list[ast.expr]:
        """The mappings that are unpacked into keyword arguments."""
        return [one.value for one in self.call.keywords if one.arg is None]


def engines(project: Project, module: Module) -> Iterator[Engine]:
    """Yield the engines of one file that may need to be pinged, in the order of the source."""
    # What ends soon keeps no connection long enough to lose it.
    if is_test_file(module.path) or _passes(module.path):
        return
    for node in module.walk():
        if not isinstance(node, ast.Call) or not _may_create(node):
            continue
        name = project.qualified_name(module, node.func)
        if name not in CREATING | CONFIGURING or not _is_kept(module, node):
            continue
        engine = Engine(node, name in CONFIGURING)
        if not _is_decided(project, module, engine):
            yield engine


def _passes(path: str) -> bool:
    """Whether a file is one of those that run once and end."""
    *folders, name = path.split("/")
    return not _PASSING.isdisjoint(folders) or name.startswith("migrat")


def _may_create(call: ast.Call) -> bool:
    name = (dotted_name(call.func) or "").rpartition(".")[2]
    return "engine" in name


def _is_decided(project: Project, module: Module, engine: Engine) -> bool:
    """Whether the call itself shows that it needs nothing."""
    if _PING in engine.options or pool_of(project, module, engine) in _WITHOUT_CONNECTIONS:
        return True
    if _is_sqlite(project, module, engine):
        return True
    # The mapping may hold the option if any file of the program names it.
    return bool(engine.unpacked) and bool(project.files_with((_PING.encode(),)))


def pool_of(project: Project, module: Module, engine: Engine) -> str | None:
    """Return the name of the class of pools that the engine is given.

    Empty if it is given none, None if that cannot be told.
    """
    given = engine.options.get("poolclass")
    if given is None or (isinstance(given, ast.Constant) and given.value is None):
        return ""
    name = project.qualified_name(module, given)
    return None if name is None else name.rpartition(".")[2]


# ------------------------------------------------------------------------------ whether it is kept
def _is_kept(module: Module, call: ast.Call) -> bool:
    """Whether the engine outlives the function that makes it."""
    function = module.enclosing_function(call)
    above = module.parent(call)
    if isinstance(above, ast.Attribute):  # create_engine(url).connect()
        return False
    if function is None:
        return True
    match above:
        case ast.Return() | ast.Yield():
            return True
        case ast.Assign(targets=targets):
            return any(_keeps(module, one, function) for one in targets)
        case ast.AnnAssign(target=target):
            return _keeps(module, target, function)
        # A factory of sessions keeps the engine that it is given.
        case ast.keyword() | ast.Call():
            return _makes_sessions(module, call)
        case _:
            return False


def _keeps(module: Module, target: ast.expr, function: ast.AST) -> bool:
    if isinstance(target, ast.Attribute | ast.Subscript):
        return True
    if not isinstance(target, ast.Name):
        return False
    scope = module.scopes.scope_made_by(function)
    # The name lives on when the function has ended.
    if target.id in scope.globals | scope.nonlocals:
        return True
    return any(_lets_out(module, read) for read in _reads(module, function, target.id))


def _reads(module: Module, function: ast.AST, name: str) -> Iterator[ast.Name]:
    for node in module.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node


def _lets_out(module: Module, read: ast.Name) -> bool:
    """Whether a read of the engine gives it to what lives on."""
    above = module.parent(read)
    # `return engine, Session` lets both out.
    if isinstance(above, ast.Tuple):
        above = module.parent(above)
    match above:
        case ast.Return() | ast.Yield():
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(one, ast.Attribute | ast.Subscript) for one in targets)
        case _:
            return _makes_sessions(module, read) and _is_let_out(module, read)


def _makes_sessions(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is given to a factory of sessions."""
    above = module.parent(node)
    if isinstance(above, ast.keyword):
        above = module.parent(above)
    if not isinstance(above, ast.Call):
        return False
    return (dotted_name(above.func) or "").rpartition(".")[2] in _FACTORIES


def _is_let_out(module: Module, node: ast.expr) -> bool:
    """Whether the statement around ``node`` returns or stores what it makes."""
    match module.statement_of(node):
        case ast.Return():
            return True
        case ast.Assign(targets=targets):
            return any(isinstance(one, ast.Attribute | ast.Subscript) for one in targets)
        case _:
            return False


# ---------------------------------------------------------------------------- whether it is SQLite
def _is_sqlite(project: Project, module: Module, engine: Engine) -> bool:
    arguments = engine.options.get("connect_args")
    # Only the driver of SQLite knows `check_same_thread`.
    if isinstance(arguments, ast.Dict) and any(
        isinstance(key, ast.Constant) and key.value == "check_same_thread" for key in arguments.keys
    ):
        return True
    url = engine.call.args[0] if engine.call.args else engine.options.get("url")
    # A file on the same machine has no server that drops connections.
    return url is not None and _begins(project, module, url).startswith("sqlite")


def _begins(project: Project, module: Module, node: ast.expr) -> str:
    """Return what the text of a URL begins with, as far as it can be read off; else nothing."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first, op=ast.Add()):
            return _begins(project, module, first)
        case ast.FormattedValue(value=value):
            return _begins(project, module, value)
        case ast.Call(func=ast.Attribute(attr="create" | "format") as function):
            given = [*node.args, *(k.value for k in node.keywords if k.arg == "drivername")]
            of = [function.value] if function.attr == "format" else given[:1]
            return _begins(project, module, of[0]) if of else ""
        case ast.Call(func=ast.Name(id="make_url" | "str" | "URL"), args=[first, *_]):
            return _begins(project, module, first)
        case ast.Call():
            return _begins_returned(project, module, node)
        case ast.Name() | ast.Attribute():
            return _begins_named(project, module, node)
        case _:
            return ""


def _begins_returned(project: Project, module: Module, call: ast.Call) -> str:
    """Return what the result of a function of the project begins with, if it has one return."""
    called = project.calls.function_called(module, call)
    if isinstance(called, Unknown):
        return ""
    home = called.module
    values = [one.value for one in home.walk(called.function) if isinstance(one, ast.Return)]
    # One step is enough, and a function that returns its own call would never end.
    if len(values) != 1 or values[0] is None or isinstance(values[0], ast.Call):
        return ""
    return _begins(project, home, values[0])


def _begins_named(project: Project, module: Module, node: ast.expr) -> str:
    """Return what a variable at the top of a file begins with, if it is bound once."""
    name = project.qualified_name(module, node)
    found = None if name is None else project.definition(name)
    home = None if found is None or found.kind != "assignment" else project.module(found.path)
    if home is None or name is None:
        return ""
    bindings = home.scopes.module.bindings.get(name.rpartition(".")[2], [])
    value = bindings[0].value if len(bindings) == 1 else None
    if value is None or value is node:
        return ""
    # Two names that are assigned to each other would never end.
    return _begins(project, home, value) if not isinstance(value, ast.Name) else ""
