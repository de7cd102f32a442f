"""Files that are certainly imported together with another one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from awaken.contract import Place
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.module_layout import submodule_name
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import ModuleOf

_IMPORTS = (ast.Import, ast.ImportFrom)


class CertainImports(ProgramFacts):
    """Answers whether importing one file imports another: by a statement at its top level."""

    def certain(self, module: Module, path: str) -> bool:
        """Whether importing ``module`` executes the file ``path`` as well."""
        return self.statement(module, path) is not None

    def statement(self, module: Module, path: str) -> ast.stmt | None:
        """Return the first statement of ``module`` that imports ``path``, also through others."""
        number = self._first_statements(module.path).get(path)
        return None if number is None else module.tree.body[number]

    def files_imported_by(self, module: Module) -> set[str]:
        """Return the files that importing ``module`` executes as well."""
        return {*self._first_statements(module.path)}

    @cached_method
    def _first_statements(self, path: str) -> Mapping[str, int]:
        """Return the files that importing ``path`` executes, by the first statement that does."""
        result: dict[str, int] = {}
        for number, imported in self._imported_at_top(path):
            files = Worklist(imported)
            for file in files:
                # The file itself is already being imported.
                if file != path and file not in result:
                    result[file] = number
                    files += chain.from_iterable(
                        others for _, others in self._imported_at_top(file)
                    )
        return result

    @cached_items
    def _imported_at_top(self, path: str) -> Iterator[tuple[int, Sequence[str]]]:
        """Yield the statements of a file that import files, by number, with these files."""
        for module in self._evaluator.modules_at([path]):
            for number, statement in enumerate(module.tree.body):
                files = self.files_imported(module, statement)
                if files:
                    yield number, files

    def name_of(self, module: Module, path: str) -> str | None:
        """Return the name by which ``module`` has imported the file ``path`` itself, if it has."""
        for name, bindings in module.scopes.module.bindings.items():
            if len(bindings) == 1 and bindings[0].kind == "import":
                values = self._evaluator.global_values(module, name)
                if values == (ModuleOf(path),):
                    return name
        return None

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
