"""What a name means: over imports, aliases, re-exports and star imports, to its definition."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import NamedTuple

from awaken.knowledge import Knowledge
from awaken.project.layout import Layout, below
from awaken.project.modules import Module
from awaken.project.tables import ModuleTable, Target, table_of, target_of

_BUILTINS = frozenset(dir(builtins))
_LONGEST_CHAIN = 40


class Located(NamedTuple):
    """A qualified name split into the project's file and the names inside it."""

    path: str
    rest: tuple[str, ...]


class Names:
    """Resolves names of one snapshot; keeps one small table per file that was asked for."""

    def __init__(
        self,
        layout: Layout,
        load: Callable[[str], Module | None],
        knowledge: Knowledge,
    ) -> None:
        self.layout = layout
        self._load = load
        self._knowledge = knowledge
        self._tables: dict[str, ModuleTable | None] = {}
        self._attributes: dict[tuple[str, str], str | None] = {}

    def table(self, path: str) -> ModuleTable | None:
        """Return the top-level names of the file at ``path``; None if it does not parse."""
        if path not in self._tables:
            module = self._load(path)
            self._tables[path] = None if module is None else table_of(module)
        return self._tables[path]

    def locate(self, qualified: str) -> Located | None:
        """Return the file that defines ``qualified``; None for names outside the project."""
        parts = qualified.split(".")
        for length in range(len(parts), 0, -1):
            path = self.layout.path_of(".".join(parts[:length]))
            if path is not None:
                return Located(path, tuple(parts[length:]))
        return None

    def qualified(self, module: Module, node: ast.expr) -> str | None:
        """Return the dotted name of ``node``; None where it is no static name or not certain."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        name = self._name(module, node, 0)
        for attribute in reversed(attributes):
            name = None if name is None else self.member(name, attribute)
        return name

    def member(self, qualified: str, attribute: str) -> str | None:
        """Return the qualified name of an attribute of a module, class or variable."""
        path = self.layout.path_of(qualified)
        if path is not None:
            return self.attribute(path, attribute)
        package = self.layout.is_namespace(qualified)
        if package:
            return self._module_name(f"{qualified}.{attribute}", "")
        return self._knowledge.canonical(f"{qualified}.{attribute}")

    def attribute(self, path: str, name: str) -> str | None:
        """Return the qualified name of what ``name`` at the top level of ``path`` stands for."""
        key = (path, name)
        if key not in self._attributes:
            self._attributes[key] = self._attribute(path, name, ())
        return self._attributes[key]

    def imported(self, path: str, target: Target) -> str | None:
        """Return the qualified name of what an import in the file ``path`` brings in."""
        return self._target(path, "", target, ())

    def defined(self, qualified: str) -> str:
        """Return where the project defines what a library file calls ``qualified``, if it does."""
        located = self.locate(qualified)
        if located is None or len(located.rest) != 1:
            return qualified
        return self.attribute(located.path, located.rest[0]) or qualified

    def absolute(self, target: Target, path: str) -> str | None:
        """Return the dotted module that ``target`` of the file ``path`` imports from."""
        if not target.level:
            return target.text
        return self.layout.relative(path, target.level, target.text)

    def _name(self, module: Module, node: ast.Name, depth: int) -> str | None:
        if depth > _LONGEST_CHAIN:
            return None
        bindings = module.scopes.bindings_of(node)
        if not bindings:
            return self._unbound(module.path, node.id)
        if bindings == module.scopes.module.bindings.get(bindings[0].name):
            return self.attribute(module.path, bindings[0].name)
        found: list[str | None] = []
        targets = [target_of(module, binding) for binding in bindings]
        imported = any(target.kind in {"module", "from"} for target in targets)
        for binding, target in zip(bindings, targets, strict=True):
            if target.kind == "none" and len(bindings) > 1:
                continue
            if target.kind == "class" and isinstance(binding.node, ast.ClassDef):
                found.append(f"{module.name}.{module.qualname(binding.node)}")
            elif target.kind == "alias" and binding.value is not None:
                found.append(self._alias(module, binding.value, depth))
            elif target.kind in {"module", "from"} or (target.kind == "lazy" and imported):
                found.append(self.imported(module.path, target))
            else:
                found.append(None)
            if found[-1] is None:
                return None  # at once: names that are given each other would be followed for ever
        return _agreed(found)

    def _alias(self, module: Module, value: ast.expr, depth: int) -> str | None:
        base, attributes = value, list[str]()
        while isinstance(base, ast.Attribute):
            attributes.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            return None
        name = self._name(module, base, depth + 1)
        for attribute in reversed(attributes):
            name = None if name is None else self.member(name, attribute)
        return name

    def _unbound(self, path: str, name: str) -> str | None:
        table = self.table(path)
        if table is None:
            return None
        if table.stars:
            return self.attribute(path, name)
        return f"builtins.{name}" if name in _BUILTINS else None

    def _attribute(self, path: str, name: str, seen: tuple[tuple[str, str], ...]) -> str | None:
        table = self.table(path)
        if table is None:
            return None
        submodule = self.layout.submodule(path, name)
        if (path, name) in seen or len(seen) > _LONGEST_CHAIN:
            return self._canonical_of(submodule)
        targets = table.names.get(name, ())
        if not targets:
            if submodule is not None:
                return self._canonical_of(submodule)
            return None if table.dynamic else self._star(path, table, name, seen)
        real = [one for one in targets if one.kind != "none"] or list(targets)
        if len(real) == 1 and real[0].kind == "lazy":
            real = [Target("variable")]
        return _agreed([self._target(path, name, one, (*seen, (path, name))) for one in real])

    def _target(
        self, path: str, name: str, target: Target, seen: tuple[tuple[str, str], ...]
    ) -> str | None:
        match target.kind:
            case "module" | "lazy":
                return self._module_name(target.text, path)
            case "from":
                return self._imported(path, target, seen)
            case "alias":
                return self._dotted(path, target.text, seen)
            case "class" | "function" | "variable" | "none":
                return f"{self.layout.name_of(path)}.{name}"
            case _:
                return None

    def _imported(self, path: str, target: Target, seen: tuple[tuple[str, str], ...]) -> str | None:
        source = self.absolute(target, path)
        if source is None:
            return None
        found = self.layout.find(source, path)
        if found.path is not None:
            return self._attribute(found.path, target.name, seen)
        if found.ambiguous:
            return None
        if found.namespace or target.level:
            return self._canonical_of(self.layout.find(below(source, target.name), path).path)
        return self._knowledge.canonical(f"{source}.{target.name}")

    def _dotted(self, path: str, dotted: str, seen: tuple[tuple[str, str], ...]) -> str | None:
        first, *rest = dotted.split(".")
        table = self.table(path)
        if table is not None and first not in table.names and not table.stars:
            name = f"builtins.{first}" if first in _BUILTINS else None
        else:
            name = self._attribute(path, first, seen)
        for attribute in rest:
            name = None if name is None else self.member(name, attribute)
        return name

    def _module_name(self, dotted: str, importer: str) -> str | None:
        found = self.layout.find(dotted, importer)
        if found.ambiguous:
            return None
        return dotted if found.path is None else self.layout.name_of(found.path)

    def _canonical_of(self, path: str | None) -> str | None:
        return None if path is None else self.layout.name_of(path)

    def _star(
        self, path: str, table: ModuleTable, name: str, seen: tuple[tuple[str, str], ...]
    ) -> str | None:
        """Return what the star imports of a file bring under ``name``, if that is certain."""
        found: list[str | None] = []
        for star in table.stars:
            source = self.absolute(star, path)
            if source is None:
                return None
            where = self.layout.find(source, path)
            if where.path is not None:
                if self._is_exported(where.path, name, (*seen, (path, name))):
                    found.append(self._attribute(where.path, name, (*seen, (path, name))))
            elif self._knowledge.has(source, name):
                found.append(self._knowledge.canonical(f"{source}.{name}"))
            elif where.ambiguous or not self._is_closed(source):
                return None
        if found:
            return _agreed(found)
        return f"builtins.{name}" if name in _BUILTINS else None

    def _is_closed(self, module: str) -> bool:
        """Whether awaken knows every public name of a library's module."""
        return module in {"sqlalchemy", "sqlalchemy.orm", "typing", "__future__"}

    def _is_exported(self, path: str, name: str, seen: tuple[tuple[str, str], ...]) -> bool:
        table = self.table(path)
        if table is None:
            return False
        if table.exports is not None:
            return name in table.exports
        if name.startswith("_"):
            return False
        if name in table.names:
            return True
        return bool(table.stars) and self._attribute(path, name, seen) is not None


def _agreed(found: list[str | None]) -> str | None:
    return found[0] if found and len(set(found)) == 1 else None
