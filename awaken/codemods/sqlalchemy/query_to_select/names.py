"""Names of SQLAlchemy: which an expression means, and by which name to write one here."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.project.frameworks.sqlalchemy.loads.module_reader import ModuleReader

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.bindings import Binding

_HOMES = {
    "select": ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.future"),
    "delete": ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression"),
    "update": ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression"),
    "func": ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression"),
    "exists": ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression"),
    "lazyload": ("sqlalchemy.orm", "sqlalchemy.orm.strategy_options"),
    "with_parent": ("sqlalchemy.orm", "sqlalchemy.orm.util"),
    "Select": ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression"),
    "sql.Select": ("sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.sql.selectable"),
    "Session": ("sqlalchemy.orm", "sqlalchemy.orm.session"),
    "aliased": ("sqlalchemy.orm", "sqlalchemy.orm.util"),
    **dict.fromkeys(
        ("union", "union_all", "intersect", "intersect_all", "except_", "except_all"),
        ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression"),
    ),
}
"""Where each name that the rule writes can be imported from; the first is where it will be."""


@dataclass(frozen=True, slots=True)
class Reader(ModuleReader):
    """One module of a project, with all questions that may be asked of the project."""

    project: Project


@dataclass(frozen=True, slots=True)
class Written:
    """A name as it is to be written, and the import it needs (module, name, alias), if any."""

    text: str
    needs: tuple[str, str, str | None] | None = None


def name_here(reader: Reader, site: ast.AST, wanted: str) -> Written:
    """Return how to write SQLAlchemy's ``wanted`` (``select``) at ``site``.

    The file's own style decides: a name that is already imported, else an attribute of an
    imported ``sqlalchemy`` (``sa.select``), else a new import; under another name where the
    obvious one means something else. ``sql.Select`` is the one that all versions export.
    """
    scopes, homes = reader.module.scopes, _HOMES[wanted]
    wanted = wanted.rpartition(".")[2]
    for name, bindings in _visible(reader, site):
        if all(_imports(reader, binding, wanted, homes) for binding in bindings):
            return Written(name)
    for name, bindings in _visible(reader, site):
        if all(_imports_package(reader, binding, homes[0]) for binding in bindings):
            return Written(f"{name}.{wanted}")
    taken = scopes.is_bound(wanted, site) or wanted in scopes.module.bindings
    if not taken and not scopes.import_stars:
        return Written(wanted, (homes[0], wanted, None))
    alias = scopes.fresh_name(f"sa_{wanted}")
    return Written(alias, (homes[0], wanted, alias))


def _visible(reader: Reader, site: ast.AST) -> Iterator[tuple[str, list[Binding]]]:
    """Yield the imported names seen from ``site`` that are bound by imports alone."""
    scopes = reader.module.scopes
    here = scopes.scope_of(site)
    for scope in here.chain():
        for name, bindings in scopes.imported(scope).items():
            if scopes.owner(name, here) is not scope:
                continue
            if all(_is_live(reader, binding, site) for binding in bindings):
                yield name, bindings


def _is_live(reader: Reader, binding: Binding, site: ast.AST) -> bool:
    """Whether an import binding holds at ``site``: not only for the type checker, and above it."""
    if any(isinstance(above, ast.If) for above in reader.module.ancestors(binding.node)):
        return False
    if reader.module.enclosing_function(binding.node) is None:
        return True
    return bool(getattr(binding.node, "lineno", 0) <= getattr(site, "lineno", 0))


def _imports(reader: Reader, binding: Binding, wanted: str, homes: Collection[str]) -> bool:
    module, name = _source(reader, binding)
    return name == wanted and module in homes


def _imports_package(reader: Reader, binding: Binding, package: str) -> bool:
    module, name = _source(reader, binding)
    return (module if name is None else f"{module}.{name}") == package


def _source(reader: Reader, binding: Binding) -> tuple[str, str | None]:
    """Return ``(module, name)`` of a from-import; ``(module, None)`` where a module is bound."""
    alias, statement = binding.node, reader.module.parent(binding.node)
    if not isinstance(alias, ast.alias):
        return "", None
    if isinstance(statement, ast.ImportFrom):
        return "" if statement.level else statement.module or "", alias.name
    # ``import sqlalchemy.orm`` binds ``sqlalchemy``, ``import sqlalchemy.orm as orm`` the module.
    return (alias.name if alias.asname else alias.name.partition(".")[0]), None
