"""The places where a program names functions, classes and variables of its own."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from awaken.kit.search import nodes_with
from awaken.project.graph.forwards.resolving import is_use
from awaken.project.names.import_origins import absolute_module
from awaken.project.source.modules import Module
from awaken.project.values.domain import ModuleOf, functions_in

if TYPE_CHECKING:
    from awaken.project import Project


class Mention(NamedTuple):
    """One place that names ``qualified``: the expression ``node``."""

    qualified: str
    module: Module
    node: ast.Name | ast.Attribute


def mentions_of(
    project: Project, qualified: Iterable[str], functions: Collection[str] = ()
) -> Iterator[Mention]:
    """Yield the places that read one of some names of the program, or assign to it from afar.

    A method is recognised after an object too, and a variable that only names a function again.
    Definitions and imports do not count, nor do calls of ``functions``: the call graph has these.
    """
    by_word = _by_last_word(project, qualified)
    uncalled = _by_last_word(project, functions)
    for module in project.modules_at(_files(project, by_word, uncalled)):
        # A name that a file imports under another one is written so.
        others = project.other_names(module.path)
        words = module.words()
        for word in sorted((by_word.keys() | uncalled.keys()) & (words | others.keys())):
            for spelled in sorted({word, *others.get(word, ())} & words):
                called = by_word.get(word, {})
                read = uncalled.get(word, {}) | called
                yield from _in_file(project, module, spelled, read, called)


def _by_last_word(project: Project, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the ``names`` by their last word, and by what their readers are qualified as."""
    result: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        result[name.rpartition(".")[2]] |= {project.defined_name(name): name, name: name}
    return result


def _files(project: Project, words: Iterable[str], uncalled: Iterable[str]) -> list[str]:
    """Return the files that may read one of ``words``, or one of ``uncalled`` without a call."""
    graph = project.calls.graph()
    result = {*project.files_with([word.encode() for word in sorted(words)])}
    for word in uncalled:
        result.update(graph.files_using(word))
        # Most names of functions are only called, which needs no tree.
        result.update(project.files_renaming(word))
    return sorted(result)


def _in_file(
    project: Project,
    module: Module,
    word: str,
    read: Mapping[str, str],
    called: Mapping[str, str],
) -> Iterator[Mention]:
    """Yield what names one of ``read``, and of calls only those of one of ``called``."""
    for node in module.mentions(word):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            continue
        wanted = read if is_use(module, node) else called
        if not wanted:
            continue
        named = project.qualified_name(module, node)
        if named is None and isinstance(node, ast.Name):
            named = _of_variable(module, node, wanted)
        elif named is None and isinstance(node, ast.Attribute):
            named = _of_object(project, module, node)
        if named is not None and named in wanted:
            yield Mention(wanted[named], module, node)


def _of_variable(module: Module, node: ast.Name, wanted: Collection[str]) -> str | None:
    """Return which variable a name may read that has one of several values, by its home."""
    for binding in module.scopes.bindings_of(node):
        home = module.name if binding.scope is module.scopes.module else None
        statement, name = module.parent(binding.node), node.id
        if isinstance(binding.node, ast.alias) and isinstance(statement, ast.ImportFrom):
            home, name = absolute_module(module, statement), binding.node.name
        if f"{home}.{name}" in wanted:
            return f"{home}.{name}"
    return None


def _of_object(project: Project, module: Module, node: ast.Attribute) -> str | None:
    """Return what an attribute of an object or of a module in a variable names."""
    for value in project.values.of(module, node.value).alternatives:
        home = project.module(value.path) if isinstance(value, ModuleOf) else None
        if home is not None:
            return f"{home.name}.{node.attr}"
    functions = functions_in(project.values.of(module, node).alternatives)
    return next((home.full_name(function) for home, function in functions), None)


def texts_naming(
    project: Project, qualified: Iterable[str]
) -> Iterator[tuple[str, Module, ast.AST]]:
    """Yield the strings that may name one of some variables, as of ``patch("app.db.Local")``."""
    by_word = {name.rpartition(".")[2]: name for name in sorted(qualified)}
    for module, node in nodes_with(project, [word.encode() for word in by_word], ast.Constant):
        if isinstance(node.value, str):
            name = by_word.get(node.value.rpartition(".")[2])
            if name is not None and name.endswith(node.value):
                yield name, module, node
