"""Functions that are added to a file, because their result is only known at run time."""

from __future__ import annotations

import ast
from typing import Any

from msgspec import structs

from awaken.contract import Edit, NeedImport
from awaken.kit.imports import imports_here
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.sites import Refused, Site
from awaken.knowledge.libraries import knowledge
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

_ASYNC_URL = '''\
def {name}(url: str | {URL}) -> {URL}:
    """Return the URL of a database with an asynchronous driver."""
    drivers = {drivers}
    parsed = {make_url}(url)
    return parsed.set(drivername=drivers.get(parsed.get_backend_name(), parsed.drivername))
'''
_SYNC_URL = '''\
def {name}(url: {URL}) -> {URL}:
    """Return the URL of a database with the driver of synchronous engines."""
    drivers = {drivers}
    return url.set(drivername=drivers.get(url.drivername, url.drivername))
'''
_ROWS_TOGETHER = '''\
def {name}(engine: {AsyncEngine}) -> {AsyncEngine}:
    """Send the rows of an INSERT together, because a row may refer to a later one."""
    if engine.dialect.name == "postgresql":
        engine.dialect.use_insertmanyvalues_wo_returning = True
    return engine
'''
_LOAD_EXPIRED = '''\
async def {name}(session: {Any}, *objects: object) -> None:
    """Refresh objects that a rollback expired, as reading them did before."""
    for instance in objects:
        if instance is not None and {inspect}(instance).{expired}:
            await session.refresh(instance)
'''


def url_helper(site: Site[ast.expr], home: Module, drivers: str) -> tuple[str, list[Edit]]:
    """Return the name of the function that gives a URL its driver, and what brings it.

    ``home`` is the file that has the function: that of ``site``, or one that it imports from.
    """
    imports = {"URL": "sqlalchemy", "make_url": "sqlalchemy"}
    code = _ASYNC_URL.replace("{drivers}", drivers)
    name, edits = added_function(site, "async_url", code, imports)
    if home is site.module or not edits:
        return name, edits
    there = Site[Any](site.rule, home, home.tree)
    name, edits = added_function(there, "async_url", code, imports)
    written, need = imported_name(site, home.name, name)
    return written, [need, *(structs.replace(edit, site=site.id) for edit in edits)]


def synchronous_url_helper(site: Site[Any], drivers: str) -> tuple[str, list[Edit]]:
    """Return the name of the function that gives a URL its former driver, with its edits."""
    code = _SYNC_URL.replace("{drivers}", drivers)
    return added_function(site, "sync_url", code, {"URL": "sqlalchemy"})


def rows_helper(site: Site[ast.expr]) -> tuple[str, list[Edit]]:
    """Return the name of the function that has an engine send rows as psycopg2 does."""
    imports = {"AsyncEngine": "sqlalchemy.ext.asyncio"}
    return added_function(site, "with_rows_together", _ROWS_TOGETHER, imports)


def expired_helper(site: Site[ast.stmt], inspect: str, expired: str) -> tuple[str, list[Edit]]:
    """Return the name of the function that loads expired objects, and what brings it.

    ``inspect`` is how the file names SQLAlchemy's, ``expired`` what it asks of a state.
    """
    code = _LOAD_EXPIRED.replace("{inspect}", inspect).replace("{expired}", expired)
    return added_function(site, "load_expired", code, {"Any": "typing"})


def added_function(
    site: Site[Any], wanted: str, code: str, imports: dict[str, str]
) -> tuple[str, list[Edit]]:
    """Return the name of a function in the file of ``site``, and what brings it.

    In ``code``, ``{name}`` is that name. Other names in braces are those of ``imports``, which has
    their packages.

    Each of several sites brings it: any of them may be the only one that changes. One that an
    earlier run wrote serves as well.
    """
    module = site.module
    needed: list[Edit] = []
    for wanted_name, package in imports.items():
        written, need = imported_name(site, package, wanted_name)
        needed.append(need)
        code = code.replace(f"{{{wanted_name}}}", written)
    for statement in module.tree.body:
        if isinstance(statement, Function) and statement.name.startswith(wanted):
            same = ast.parse(code.replace("{name}", statement.name), filename="").body[0]
            if ast.dump(same) == ast.dump(statement):
                return statement.name, []
    name = module.scopes.fresh_name(wanted)
    return name, [site.insert_after_imports(code.replace("{name}", name)), *needed]


def imported_name(
    site: Site[Any], package: str, name: str, here: ast.AST | None = None
) -> tuple[str, NeedImport]:
    """Return what a ``package`` gives the file by a ``name``, or by another if that is taken.

    Taken at the top of the file, or at the node ``here``.
    """
    module = site.module
    canonical = knowledge().canonical
    for node in module.tree.body:
        if not isinstance(node, ast.ImportFrom) or not node.module or node.level:
            continue
        # Several modules of a library give the same thing.
        home = node.module
        for known in node.names:
            written = known.asname or known.name
            is_same = canonical(f"{home}.{known.name}") == canonical(f"{package}.{name}")
            if is_same and _is_free(module, here, written, home):
                return written, _need_import(site, home, known.name, known.asname)
    if _is_free(module, here, name, package):
        return name, _need_import(site, package, name)
    alias = f"sqlalchemy_{name}" if name.islower() else f"SQLAlchemy{name}"
    alias = module.scopes.fresh_name(alias)
    return alias, _need_import(site, package, name, alias)


def _is_free(module: Module, here: ast.AST | None, name: str, package: str) -> bool:
    """Whether a name means nothing else at a node, or at the top of the file."""
    try:
        imports_here(module, here or module.tree, name, {package}, Refused(NAME_TAKEN, name))
    except Refused:
        return False
    return True


def _need_import(site: Site[Any], package: str, name: str, alias: str | None = None) -> NeedImport:
    path = site.module.path
    return NeedImport(path=path, module=package, name=name, alias=alias, site=site.id)
