"""The imports that a rewritten query may have been the last to use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.contract import ReleaseImport, SiteId
from awaken.project.names.origins import imported_from
from awaken.project.source.modules import Module


def released_names(
    queries: Iterable[tuple[Module, ast.AST]],
    sessions: Iterable[tuple[Module, ast.expr]],
    site: SiteId,
) -> Iterator[ReleaseImport]:
    """Yield the imports that go if nothing refers to them then.

    Those that ``sessions`` begin with, and those of SQLAlchemy in ``queries``, of which a part may
    be left out. An import of the program stays: its module may be imported for what it does.
    """
    released = {(module.path, imported_from(module, session)) for module, session in sessions}
    for module, query in queries:
        for name in ast.walk(query):
            home = imported_from(module, name) if isinstance(name, ast.Name) else None
            if home is not None and home[0].partition(".")[0] == "sqlalchemy":
                released.add((module.path, home))
    written = sorted((path, *home) for path, home in released if home is not None)
    for path, module_name, released_name in written:
        yield ReleaseImport(path=path, module=module_name, name=released_name, site=site)
