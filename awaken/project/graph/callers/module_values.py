"""Modules as values: ``register(handlers)`` hands on a module, and with it all that is in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from awaken.project.source.modules import Module
from awaken.project.source.words import Words
from awaken.project.values.calls.loaded_files import MAKING, NAMING
from awaken.project.values.evaluation import Evaluator

_MOST_FILES = 100  # to parse for one name


class ModuleValues:
    """Finds the modules that files use as values; each file is read once, for all of them."""

    def __init__(self, evaluator: Evaluator, words: Words) -> None:
        self._evaluator = evaluator
        self._words = words
        self._files: dict[str, list[str] | None] = {}
        self._used: dict[str, frozenset[str]] = {}

    def travels(self, path: str) -> bool:
        """Whether the module at ``path`` may be used as a value: anything may then hold it."""
        dotted = self._evaluator.names.layout.name_of(path)
        last = dotted.rpartition(".")[2]
        if last not in self._files:
            self._files[last] = self._files_naming(last)
        files = self._files[last]
        return (
            files is None
            or any(dotted in self._used_in(file) for file in files)
            or not self._loading.isdisjoint(self._words.files_with(last))
        )

    @cached_property
    def _loading(self) -> frozenset[str]:
        """The files that may load others by their paths or their names."""
        found, loaders = self._words.files_with, (MAKING, *NAMING)
        named = {path for one in loaders for path in found(one.rpartition(".")[2])}
        return frozenset(named.union({*found("sys")}.intersection(found("modules"))))

    def _files_naming(self, last: str) -> list[str] | None:
        """Return the files that may use a module called ``last``; None if they are too many."""
        files = self._words.files_with(last)
        if len(files) > _MOST_FILES:
            return None
        # ``from package.last import name`` and ``last.name`` only read from it.
        used = rb"(?<!\w)%s(?!\w|\s*\.|\s+import\b)" % re.escape(last.encode())
        # A file that does not import it by its name has it as ``package.last`` alone.
        importing = frozenset(self._words.imported_in(last))
        imported, read = re.compile(used), re.compile(rb"\.(?:\s|\\)*+" + used)
        return [
            file
            for file in files
            if (imported if file in importing else read).search(self._words.text(file))
        ]

    def _used_in(self, path: str) -> frozenset[str]:
        """Return the dotted names of the modules that the file at ``path`` uses as values."""
        if path not in self._used:
            module = self._evaluator.load(path)
            self._used[path] = frozenset() if module is None else self._modules_in(module)
        return self._used[path]

    def _modules_in(self, module: Module) -> frozenset[str]:
        names = self._evaluator.names
        result = {names.qualified(module, node) for node in _values(module)}
        return frozenset(item for item in result if item and names.layout.path_of(item) is not None)


def _values(module: Module) -> Iterator[ast.Name | ast.Attribute]:
    """Yield the names that may be modules, and are not just read from."""
    imported = {
        name
        for scope in module.scopes.scopes
        for name, bindings in scope.bindings.items()
        if any(binding.kind == "import" for binding in bindings)
    }
    for node in module.walk():
        match node:
            case ast.Name(id=name) if name in imported:
                pass
            case ast.Attribute():
                pass
            case _:
                continue
        # ``module.name`` only reads from it; anything else may hand it on.
        if isinstance(node.ctx, ast.Load) and not isinstance(module.parent(node), ast.Attribute):
            yield node
