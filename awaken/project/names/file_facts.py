"""The facts of one file: what its text alone says, small enough to keep for all files."""

from __future__ import annotations

import ast
from collections.abc import Callable, MutableMapping
from typing import Literal

from msgspec import Struct

from awaken.contract import Span
from awaken.project.names.tables import ModuleTable, dotted_name, table_of, target_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, without_arguments
from awaken.workspace.sources import Snapshot, SourceFile


class WrittenName(Struct, frozen=True):
    """An expression that names something, as it stands in its file.

    ``text`` is its source without comments. ``dotted`` are the parts of ``a.b.c``, none if it is
    something else. The first is bound at the ``top`` of the file, in a ``local`` scope, or
    ``nowhere`` in it.
    """

    text: str
    dotted: tuple[str, ...] = ()
    bound: Literal["top", "local", "nowhere"] = "nowhere"


class WrittenClass(Struct, frozen=True):
    """One class as written. ``unique`` is False where the file defines the name twice."""

    qualname: str
    span: Span
    bases: tuple[WrittenName, ...]
    decorators: tuple[WrittenName, ...]
    keywords: tuple[tuple[str, str], ...]
    unique: bool


class FileFacts(Struct, frozen=True):
    """What one file says, whatever its path and whatever stands in other files.

    ``table`` holds the names of its module scope and ``classes`` its classes. ``renamed`` gives the
    other names that something gets anywhere in the file, by import or assignment. ``called`` are
    the last names of what is called.
    """

    table: ModuleTable
    classes: tuple[WrittenClass, ...]
    renamed: dict[str, tuple[str, ...]]
    called: frozenset[str]


class FactsIndex:
    """Answers with the facts of the files of one snapshot.

    ``known`` holds facts by the text. It may be shared by all snapshots of a run, and grows.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        load: Callable[[str], Module | None],
        known: MutableMapping[bytes, FileFacts] | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._load = load
        self.known = {} if known is None else known
        self._of: dict[str, FileFacts | None] = {}

    def of(self, path: str) -> FileFacts | None:
        """Return the facts of the file at ``path``; None if there is none, or it does not parse."""
        if path not in self._of:
            source = self._snapshot.get(path)
            self._of[path] = None if source is None else self._by_content(source)
        return self._of[path]

    def _by_content(self, source: SourceFile) -> FileFacts | None:
        if source.text not in self.known:
            module = self._load(source.path)
            # That it does not parse is not kept: who loads it next is to be told why.
            if module is None:
                return None
            self.known[source.text] = facts_of(module)
        return self.known[source.text]


def facts_of(module: Module) -> FileFacts:
    """Return what ``module`` says by itself."""
    calls = (node for node in module.walk() if isinstance(node, ast.Call))
    return FileFacts(
        table=table_of(module),
        classes=tuple(_classes(module)),
        renamed={name: tuple(sorted(others)) for name, others in _renamed(module).items()},
        called=frozenset(name for call in calls if (name := last_name(call.func))),
    )


def _renamed(module: Module) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for scope in module.scopes.scopes:
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                if binding.kind not in {"import", "assignment", "walrus"}:
                    continue
                target = target_of(module, binding)
                original = target.name or target.text.rpartition(".")[2]
                if target.kind in {"from", "alias"} and original != name:
                    found.setdefault(original, set()).add(name)
    return found


def _classes(module: Module) -> list[WrittenClass]:
    found: dict[str, WrittenClass] = {}
    for scope in module.scopes.scopes:
        if isinstance(scope.node, ast.ClassDef) and scope.kind == "class":
            qualname = module.qualname(scope.node)
            # Which of the two the name means is decided at run time, so neither is certain.
            found[qualname] = _class(module, scope.node, qualname, unique=qualname not in found)
    return list(found.values())


def _class(module: Module, node: ast.ClassDef, qualname: str, *, unique: bool) -> WrittenClass:
    return WrittenClass(
        qualname=qualname,
        span=module.span(node),
        bases=tuple(_written(module, one) for one in bases_of(node)),
        decorators=tuple(_written(module, one) for one in decorators_of(node)),
        keywords=tuple((one.arg or "**", ast.unparse(one.value)) for one in node.keywords),
        unique=unique,
    )


def bases_of(node: ast.ClassDef) -> list[ast.expr]:
    """Return the bases of a class; ``Base[int]`` inherits from `Base`."""
    return [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]


def decorators_of(node: ast.ClassDef) -> list[ast.expr]:
    """Return what decorates a class, without the arguments that it is given."""
    return [without_arguments(one) for one in node.decorator_list]


def _written(module: Module, node: ast.expr) -> WrittenName:
    text, dotted, first = ast.unparse(node), dotted_name(node), node
    while isinstance(first, ast.Attribute):
        first = first.value
    if dotted is None or not isinstance(first, ast.Name):
        return WrittenName(text)
    bindings = module.scopes.bindings_of(first)
    parts = dotted.split(".")
    if not bindings:
        return WrittenName(text, tuple(parts))
    top = module.scopes.module.bindings
    # A private name is bound by the name that the compiler gives it.
    parts[0] = bindings[0].name
    return WrittenName(text, tuple(parts), "top" if bindings == top.get(parts[0]) else "local")
