"""The module table of a file: the names of its module scope, small enough to keep for all."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module

NameTargetKind = Literal[
    "module", "from", "class", "function", "alias", "lazy", "variable", "none", "opaque"
]


class NameTarget(Struct, frozen=True, array_like=True):
    """One possible meaning of a name.

    ``text`` is the dotted module of an import, the dotted expression of an alias. For ``from`` it
    is the module as written (may be empty), ``name`` the imported name and ``level`` the dots.
    ``lazy`` is a call with the dotted name ``text`` as a string: it may import that module.
    ``none`` is an assignment of None (the usual fallback of a missing import); ``opaque`` is a
    binding with an unknown value (a loop, an exception handler, ``del``).
    """

    kind: NameTargetKind
    text: str = ""
    name: str = ""
    level: int = 0


class ModuleTable(Struct, frozen=True, array_like=True):
    """The module scope of one file: names, star imports, ``__all__`` where it is a plain list."""

    names: dict[str, tuple[NameTarget, ...]]
    stars: tuple[NameTarget, ...]
    exports: tuple[str, ...] | None
    dynamic: bool  # a module-level ``__getattr__`` may answer for any name

    def other_names(self, word: str) -> set[str]:
        """Return the names under which the file knows what it imports, or finds, as ``word``."""
        return {
            name
            for name, targets in self.names.items()
            if name != word
            and any(
                (target.kind == "from" and target.name == word)
                or (target.kind == "alias" and target.text.rpartition(".")[2] == word)
                for target in targets
            )
        }


class NotedTable:
    """The module scope of one file; ``note`` is called with each part and name that is used."""

    def __init__(self, table: ModuleTable, note: Callable[[str, str], None]) -> None:
        self._table = table
        self._note = note

    def targets(self, name: str) -> tuple[NameTarget, ...]:
        """Return the possible meanings of ``name``; none if the file does not bind it."""
        self._note("name", name)
        return self._table.names.get(name, ())

    def binds(self, name: str) -> bool:
        """Whether the file binds ``name``."""
        self._note("name", name)
        return name in self._table.names

    def other_names(self, word: str) -> set[str]:
        """Return the other names of ``word`` in the file (``ModuleTable.other_names``)."""
        self._note("others", word)
        return self._table.other_names(word)

    @property
    def stars(self) -> tuple[NameTarget, ...]:
        """The star imports."""
        self._note("open", "")
        return self._table.stars

    @property
    def exports(self) -> tuple[str, ...] | None:
        """``__all__`` where it is a plain list."""
        self._note("open", "")
        return self._table.exports

    @property
    def dynamic(self) -> bool:
        """Whether a module-level ``__getattr__`` may answer for any name."""
        self._note("open", "")
        return self._table.dynamic


def table_of(module: Module) -> ModuleTable:
    """Return the names that ``module`` binds at its top level."""
    bindings, lasting = module.scopes.module.bindings, module.scopes.lasting
    names = {
        name: tuple(dict.fromkeys(target_of(module, binding) for binding in lasting(result)))
        for name, result in bindings.items()
    }
    stars = tuple(
        NameTarget("from", star.module or "", "*", star.level)
        for star in module.scopes.import_stars
    )
    return ModuleTable(names, stars, _exports(module), "__getattr__" in bindings)


def target_of(module: Module, binding: Binding) -> NameTarget:
    """Return the object that ``binding`` binds its name to."""
    match binding.kind:
        case "import":
            return _imported_name_target(module, binding)
        case "class" | "function":
            return NameTarget(binding.kind)
        case "assignment" | "walrus" if binding.value is not None:
            return _assigned_name_target(binding.value)
        case "assignment" | "annotation" | "type-alias":
            return NameTarget("variable")
    return NameTarget("opaque")


def _imported_name_target(module: Module, binding: Binding) -> NameTarget:
    alias, statement = binding.node, module.parent(binding.node)
    if not isinstance(alias, ast.alias):
        return NameTarget("opaque")
    if isinstance(statement, ast.ImportFrom):
        return NameTarget("from", statement.module or "", alias.name, statement.level)
    # ``import a.b`` binds `a`, ``import a.b as c`` binds `a.b`.
    whole = alias.name if alias.asname else alias.name.split(".")[0]
    return NameTarget("module", whole)


def _assigned_name_target(value: ast.expr) -> NameTarget:
    if isinstance(value, ast.Constant) and value.value is None:
        return NameTarget("none")
    dotted = dotted_name(value)
    if dotted is not None:
        return NameTarget("alias", dotted)
    if isinstance(value, ast.Call):
        for argument in value.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                return NameTarget("lazy", argument.value)
    return NameTarget("variable")


def dotted_name(node: ast.AST) -> str | None:
    """Return ``a.b.c`` for a chain of attributes on a name, else None."""
    base, attributes = attributes_of(node)
    return ".".join([base.id, *attributes]) if isinstance(base, ast.Name) else None


def attributes_of(node: ast.AST) -> tuple[ast.AST, list[str]]:
    """Return ``a`` and ``["b", "c"]`` for ``a.b.c``: where attributes begin, and their names."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return node, attributes[::-1]


def _exports(module: Module) -> tuple[str, ...] | None:
    bindings = module.scopes.module.bindings.get("__all__", [])
    # A list that is added to later may hold any name.
    if len(bindings) != 1 or not isinstance(bindings[0].value, ast.List | ast.Tuple):
        return None
    items = bindings[0].value.elts
    names = [item.value for item in items if isinstance(item, ast.Constant)]
    if len(names) != len(items):
        return None
    return tuple(name for name in names if isinstance(name, str))
