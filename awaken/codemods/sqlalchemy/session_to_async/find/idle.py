"""Mentions of functions, classes and variables: what no visible code calls or reads.

The program does not make the values that these functions get, and it reads no such property.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from awaken.kit.search import nodes_with
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS
from awaken.project.graph.forwards.resolving import function_around, is_use
from awaken.project.names.functions.decorators import PROPERTIES
from awaken.project.names.import_origins import absolute_module
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function
from awaken.project.values.domain import ModuleOf, functions_in

if TYPE_CHECKING:
    from awaken.project import Project

_MANY = 20
"""Functions that are looked at on the way up."""


def is_given_by_none(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` calls a method of what a function is passed that nobody calls.

    Others of which this is true may call it.
    Of a published project other programs may, with what its own functions give them.
    """
    if project.published:
        return False
    first = function_around(module, node)
    if not _is_of_parameter(module, node, first):
        return False
    waiting = [] if first is None else [(module, first)]
    seen = {item.key_of(function) for item, function in waiting}
    for home, function in waiting:
        if _may_run(project, home, function) or len(seen) > _MANY:
            return False
        for site in project.calls.callers_of(home, function).sites:
            calls = project.calls_at(site.place)
            around = function_around(*calls[0]) if calls else None
            if around is None:
                return False
            calling = calls[0][0]
            key = calling.key_of(around)
            if key not in seen:
                seen.add(key)
                waiting.append((calling, around))
    return bool(waiting)


def is_of_uncalled(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` calls a method of a parameter, or of its attribute, of an uncalled function.

    It is no method: an object may have got a session without a call of the method. Such a function
    is often a method that has lost its indent.
    """
    function = function_around(module, node)
    if function is None:
        return False
    match node:
        case ast.Call(
            func=ast.Attribute(value=(ast.Name() as held) | ast.Attribute(value=ast.Name() as held))
        ):
            parameter = module.scopes.parameter_of(held)
        case _:
            return False
    if parameter is None or parameter.scope.node is not function:
        return False
    return is_uncalled(project, module, function)


def is_uncalled(project: Project, module: Module, function: Function) -> bool:
    """Whether nothing calls a function that is no method: no visible code, and nothing else."""
    if project.published or isinstance(module.parent(function), ast.ClassDef):
        return False
    if _has_other_callers(project, module, function):
        return False
    return not project.calls.callers_of(module, function).sites


def is_in_unread_property(project: Project, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` runs only where somebody reads a property, whose name nobody writes."""
    function = module.enclosing_def(node)
    match function:
        case ast.FunctionDef(name=name, decorator_list=[decorator]):
            if project.qualified_name(module, decorator) not in PROPERTIES or project.published:
                return False
        case _:
            return False
    templates = project.texts(*TEMPLATE_READS)
    texts = [file.text for file in templates.files.values()]
    files = project.files_with((name.encode(),))
    texts += [item.source.text for item in project.modules_at(files)]
    word = re.compile(rb"\b%b\b" % name.encode())
    return not templates.unread and sum(len(word.findall(text)) for text in texts) == 1


def _is_of_parameter(module: Module, node: ast.AST, function: Function | None) -> bool:
    """Whether ``node`` calls a method of a parameter of ``function``."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as held)):
            parameter = module.scopes.parameter_of(held)
            return parameter is not None and parameter.scope.node is function
    return False


def _may_run(project: Project, module: Module, function: Function) -> bool:
    """Whether a function may run without a visible call."""
    is_method = isinstance(module.parent(function), ast.ClassDef)
    is_plain = is_method or module.parent(function) is module.tree
    return not is_plain or _has_other_callers(project, module, function)


def _has_other_callers(project: Project, module: Module, function: Function) -> bool:
    """Whether something may call a function that is not visible: Python, a framework, a test."""
    if function.name.startswith("__") or function.decorator_list or is_test_file(module.path):
        return True
    return any(
        item.kind != "outside" for item in project.calls.callers_of(module, function).obstacles
    )


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
