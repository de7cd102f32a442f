"""The applications of a program, and everything that is done to them, in one place to ask."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct

from awaken.contract import Place
from awaken.project.frameworks.web.applications import Application, Applications, Resolved
from awaken.project.frameworks.web.endpoints import Endpoints
from awaken.project.frameworks.web.handlers import Handlers
from awaken.project.frameworks.web.installers import Installations
from awaken.project.frameworks.web.registrations import Registrations
from awaken.project.frameworks.web.responses import Responses
from awaken.project.frameworks.web.searched_files import FoundInFiles
from awaken.project.frameworks.web.served_applications import Inclusions, Serving
from awaken.project.frameworks.web.taken_back import TakenBack
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.module_layout import submodule_name
from awaken.project.source.memo import cached_items, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import ModuleOf

_WORDS = (b"router.startup", b"router.shutdown")
_EVENTS = {"startup", "shutdown"}
_IMPORTS = (ast.Import, ast.ImportFrom)


class Run(Struct, frozen=True):
    """``node`` is ``app.router.startup``, ``of`` what ``app`` may be."""

    module: Module
    node: ast.Attribute
    receiver: ast.expr
    of: Resolved

    @property
    def place(self) -> Place:
        """Its place."""
        return self.module.place(self.node)

    def may_be_of(self, application: Application) -> bool:
        """Whether the handlers of ``application`` may be run."""
        unknown = self.of.unknown is not None and not self.of.uncalled
        return unknown or application in self.of.applications


class Runs(FoundInFiles[Run]):
    """All of a program, found when first asked for."""

    words = _WORDS

    def _items_in(self, module: Module) -> Iterator[Run]:
        for node in module.walk():
            match node:
                case ast.Attribute(attr=event, value=ast.Attribute(attr="router", value=receiver)):
                    if event in _EVENTS:
                        resolved = self._applications.applications_of(module, receiver)
                        yield Run(module, node, receiver, resolved)


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


class Web:
    """Facts about a program's web applications; they are worked out on demand."""

    def __init__(self, evaluator: ProgramEvaluator, targets: Any) -> None:
        self._evaluator = evaluator
        self._targets = targets

    @cached_property
    def applications(self) -> Applications:
        """Which applications expressions are."""
        return Applications(self._evaluator)

    @cached_property
    def registrations(self) -> Registrations:
        """The registrations of handlers and lifespans."""
        return Registrations(self._evaluator, self.applications)

    @cached_property
    def inclusions(self) -> Inclusions:
        """The inclusions and mounts of applications and routers."""
        return Inclusions(self._evaluator, self.applications)

    @cached_property
    def endpoints(self) -> Endpoints:
        """The functions that run for every request."""
        return Endpoints(self._evaluator, self.applications)

    @cached_property
    def taken_back(self) -> TakenBack:
        """The calls of what FastAPI keeps to call, and the reads of its parameters."""
        return TakenBack(self._evaluator)

    @cached_property
    def responses(self) -> Responses:
        """Which endpoints return what, and as which response models."""
        return Responses(self._evaluator, self.applications)

    @cached_property
    def serving(self) -> Serving:
        """Which applications are served, with their lifespans."""
        return Serving(self._evaluator, self.applications, self.registrations, self.inclusions)

    @cached_property
    def imports(self) -> CertainImports:
        """Which files are imported together."""
        return CertainImports(self._evaluator)

    @cached_property
    def runs(self) -> Runs:
        """The calls that run handlers by hand."""
        return Runs(self._evaluator, self.applications)

    @cached_property
    def handlers(self) -> Handlers:
        """How handlers are called."""
        return Handlers(self._evaluator, self.applications)

    @cached_property
    def installations(self) -> Installations:
        """Which libraries are given an application."""
        return Installations(self._evaluator, self.applications, self._targets)
