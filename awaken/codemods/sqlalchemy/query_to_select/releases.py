"""The import of a session that a rewritten query may have been the last to use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.contract import ReleaseImport, SiteId
from awaken.project.names.origins import imported_from
from awaken.project.source.modules import Module


def released_sessions(
    module: Module, sessions: Iterable[ast.expr | None], site: SiteId
) -> Iterator[ReleaseImport]:
    """Yield the imports that ``sessions`` begin with: they go if nothing refers to them then."""
    released = {imported_from(module, session) for session in sessions if session is not None}
    for home, name in sorted(one for one in released if one is not None):
        yield ReleaseImport(path=module.path, module=home, name=name, site=site)
