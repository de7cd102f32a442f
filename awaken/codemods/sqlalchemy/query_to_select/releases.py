"""The import of a session that a rewritten query may have been the last to use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.contract import ReleaseImport, SiteId
from awaken.project.modules import Module


def released_sessions(
    module: Module, sessions: Iterable[ast.expr | None], site: SiteId
) -> Iterator[ReleaseImport]:
    """Yield the imports that ``sessions`` begin with: they go if nothing refers to them then."""
    released = {_imported(module, session) for session in sessions if session is not None}
    for home, name in sorted(one for one in released if one is not None):
        yield ReleaseImport(path=module.path, module=home, name=name, site=site)


def _imported(module: Module, session: ast.expr) -> tuple[str, str] | None:
    """Return module and name of the only ``from`` import of what ``session`` begins with."""
    while isinstance(session, ast.Attribute):
        session = session.value
    if not isinstance(session, ast.Name):
        return None
    bindings = module.scopes.bindings_of(session)
    alias = bindings[0].node if len(bindings) == 1 else None
    statement = module.parent(alias) if isinstance(alias, ast.alias) else None
    if not isinstance(statement, ast.ImportFrom) or not isinstance(alias, ast.alias):
        return None
    return _absolute(module, statement), alias.name


def _absolute(module: Module, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    package = module.name.split(".")
    drop = statement.level - module.is_package
    base = package[: len(package) - drop]
    return ".".join([*base, *([statement.module] if statement.module else [])])
