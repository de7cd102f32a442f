"""Files that are certainly imported together with another one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from awaken.contract import Place
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.module_layout import submodule_name
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.values.domain import ModuleOf

_IMPORTS = (ast.Import, ast.ImportFrom)


class CertainImports(ProgramFacts):
    """Answers whether importing one file imports another: by a statement at its top level."""

    def certain(self, module: Module, path: str) -> bool:
        """Whether importing ``module`` executes the file ``path`` as well."""
        return self.statement(module, path) is not None

    def statement(self, module: Module, path: str) -> ast.stmt | None:
        """Return the first statement of ``module`` that imports ``path``, also through others."""
        return next(
            (
                statement
                for statement in module.tree.body
                if path in self._reached_files(module, statement, {module.path})
            ),
            None,
        )

    def files_imported_by(self, module: Module) -> set[str]:
        """Return the files that importing ``module`` executes as well."""
        seen = {module.path}
        return {
            path
            for statement in module.tree.body
            for path in self._reached_files(module, statement, seen)
        }

    def name_of(self, module: Module, path: str) -> str | None:
        """Return the name by which ``module`` has imported the file ``path`` itself, if it has."""
        for name, bindings in module.scopes.module.bindings.items():
            if len(bindings) == 1 and bindings[0].kind == "import":
                values = self._evaluator.global_values(module, name)
                if values == (ModuleOf(path),):
                    return name
        return None

    def _reached_files(self, module: Module, statement: ast.stmt, seen: set[str]) -> set[str]:
        """Return all files that ``statement`` executes, by imports at their top level."""
        paths: set[str] = set()
        for path in self.files_imported(module, statement):
            if path in seen:
                continue
            seen.add(path)
            paths.add(path)
            for other in self._evaluator.modules_at([path]):
                for node in other.tree.body:
                    paths |= self._reached_files(other, node, seen)
        return paths

    @cached_method
    def in_functions(self) -> Mapping[str, Mapping[Place, Sequence[str]]]:
        """Return what functions import when they run, by their file and their place."""
        result: dict[str, defaultdict[Place, list[str]]] = {}
        for module in self._evaluator.modules_with((b"import",)):
            of_file = result[module.path] = defaultdict(list)
            for node in module.nodes_of(*_IMPORTS):
                function = function_around(module, node)
                if function is not None:
                    of_file[module.place(function)] += self.files_imported(module, node)
        return result

    @cached_items
    def imported_anywhere(self, path: str) -> Iterator[str]:
        """Yield the files that the imports of a file execute themselves, wherever they are."""
        for module in self._evaluator.modules_at([path]):
            for node in module.nodes_of(*_IMPORTS):
                yield from self.files_imported(module, node)

    def files_imported(self, module: Module, statement: ast.AST) -> list[str]:
        """Return the files that an import executes itself, packages first; none of another node."""
        layout = self._evaluator.names.layout
        paths: list[str] = []
        for name in self._names(module, statement):
            parts = [name] if name.startswith("/") else name.split(".")
            # ``import a.b.c`` runs `a` and `a.b` as well.
            for length in range(1, len(parts) + 1):
                path = layout.find(".".join(parts[:length]), module.path).path
                if path is not None and path not in paths:
                    paths.append(path)
        return paths

    def _names(self, module: Module, statement: ast.AST) -> list[str]:
        """Return what may be a module in an import, relative ones as the layout writes them."""
        if isinstance(statement, ast.Import):
            return [name.name for name in statement.names]
        if not isinstance(statement, ast.ImportFrom):
            return []
        source = statement.module or ""
        if statement.level:
            layout = self._evaluator.names.layout
            source = layout.relative(module.path, statement.level, source) or ""
        return (
            [source, *(submodule_name(source, name.name) for name in statement.names)]
            if source
            else []
        )
