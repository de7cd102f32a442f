"""The name by which an object is reached at a place: one that is in scope, or a new import."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module


@dataclass(frozen=True, slots=True)
class Written:
    """A name as it is to be written, and the import it needs (module, name, alias), if any."""

    text: str
    needs: tuple[str, str, str | None] | None = None


def name_here(
    module: Module, site: ast.AST, wanted: str, homes: Sequence[str], prefix: str
) -> Written:
    """Return how to write ``wanted``, which each of the modules ``homes`` exports, at ``site``.

    The file's own style decides: a name that is already imported, else an attribute of the imported
    first home (``sa.select``), else a new import from that; with ``prefix`` in front of it where
    the obvious one means something else.
    """
    scopes = module.scopes
    for name, bindings in _visible(module, site):
        if all(_imports(module, binding, wanted, homes) for binding in bindings):
            return Written(name)
    for name, bindings in _visible(module, site):
        if all(_imports_package(module, binding, homes[0]) for binding in bindings):
            return Written(f"{name}.{wanted}")
    taken = scopes.is_bound(wanted, site) or wanted in scopes.module.bindings
    if not taken and not scopes.import_stars:
        return Written(wanted, (homes[0], wanted, None))
    alias = scopes.fresh_name(f"{prefix}{wanted}")
    return Written(alias, (homes[0], wanted, alias))


def is_dotted(node: ast.expr) -> bool:
    """Whether ``node`` is a name, or an attribute of one over any number of steps."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _visible(module: Module, site: ast.AST) -> Iterator[tuple[str, list[Binding]]]:
    """Yield the imported names seen from ``site`` that are bound by imports alone."""
    scopes = module.scopes
    here = scopes.scope_of(site)
    for scope in here.chain():
        for name, bindings in scopes.imported(scope).items():
            if scopes.owner(name, here) is not scope:
                continue
            if all(_is_live(module, binding, site) for binding in bindings):
                yield name, bindings


def _is_live(module: Module, binding: Binding, site: ast.AST) -> bool:
    """Whether an import binding holds at ``site``: not only for the type checker, and above it."""
    if any(isinstance(above, ast.If) for above in module.ancestors(binding.node)):
        return False
    if module.enclosing_function(binding.node) is None:
        return True
    return bool(getattr(binding.node, "lineno", 0) <= getattr(site, "lineno", 0))


def _imports(module: Module, binding: Binding, wanted: str, homes: Collection[str]) -> bool:
    home, name = _source(module, binding)
    return name == wanted and home in homes


def _imports_package(module: Module, binding: Binding, package: str) -> bool:
    home, name = _source(module, binding)
    return (home if name is None else f"{home}.{name}") == package


def _source(module: Module, binding: Binding) -> tuple[str, str | None]:
    """Return ``(module, name)`` of a from-import; ``(module, None)`` where a module is bound."""
    alias, statement = binding.node, module.parent(binding.node)
    if not isinstance(alias, ast.alias):
        return "", None
    if isinstance(statement, ast.ImportFrom):
        return "" if statement.level else statement.module or "", alias.name
    # ``import sqlalchemy.orm`` binds ``sqlalchemy``, ``import sqlalchemy.orm as orm`` the module.
    return (alias.name if alias.asname else alias.name.partition(".")[0]), None
