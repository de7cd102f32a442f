"""Names that a file gives to what it imports: found without its scopes, where that is enough.

To build the scopes of a file takes longer than to parse it.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from awaken.project.source.trees import FunctionOrLambda, last_name, root_of, walk_statements

Import = ast.Import | ast.ImportFrom

_NAMED: Mapping[type[ast.AST], str] = {
    ast.arg: "arg",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.ExceptHandler: "name",
    ast.MatchAs: "name",
    ast.MatchStar: "name",
    ast.MatchMapping: "rest",
}
"""What binds a name, and its attribute that holds the name."""
if sys.version_info >= (3, 12):
    _NAMED = {**_NAMED, ast.TypeVar: "name", ast.ParamSpec: "name", ast.TypeVarTuple: "name"}


def imports_in(tree: ast.Module) -> list[Import]:
    """Return the statements of a file that import, in whatever scope."""
    return [statement for statement in walk_statements(tree) if isinstance(statement, Import)]


def renamed_imports(imports: Iterable[Import]) -> dict[ast.AST, tuple[str, str]]:
    """Return what ``from a import b as c`` imports: ``c`` and ``b`` of each such part."""
    return {
        item: (item.asname, item.name)
        for statement in imports
        for item in statement.names
        if isinstance(statement, ast.ImportFrom) and item.asname
    }


def renaming_assignments(tree: ast.Module) -> Iterator[tuple[ast.Name, ast.Name, str]]:
    """Yield the targets of ``name = a.b`` at the top of a file, with ``a`` and the name ``b``."""
    for statement in tree.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name() as target], value=ast.Attribute() | ast.Name() as value
            ):
                root = root_of(value)
                if isinstance(root, ast.Name):
                    yield target, root, last_name(value)


def names_bound_by(imports: Iterable[Import]) -> dict[str, ast.AST]:
    """Return the names that statements bind, each with the part that does."""
    return {_bound_name(item): item for statement in imports for item in statement.names}


def bound_once(
    binding: Mapping[str, ast.AST],
    nodes: Callable[[type[Any]], Iterable[Any]],
    ancestors: Callable[[ast.AST], Iterable[ast.AST]],
) -> dict[str, ast.AST]:
    """Return the items of ``binding`` at the top of a file whose names nothing else binds.

    ``nodes`` gives those of a type in the file, ``ancestors`` what is around one.
    """
    times = _times_bound(binding, nodes)
    scoped = FunctionOrLambda | ast.ClassDef
    return {
        name: node
        for name, node in binding.items()
        # In a class, `__name` is read by another name.
        if times[name] == 1
        and not name.startswith("__")
        and not any(isinstance(above, scoped) for above in ancestors(node))
    }


def _times_bound(
    names: Collection[str], nodes: Callable[[type[Any]], Iterable[Any]]
) -> Counter[str]:
    """Return how often a file binds each name, in all scopes; a declaration counts, too."""
    times = Counter[str](
        node.id for node in nodes(ast.Name) if node.id in names and type(node.ctx) is not ast.Load
    )
    for kind, attribute in _NAMED.items():
        times.update(filter(None, (getattr(node, attribute) for node in nodes(kind))))
    for kind in (ast.Global, ast.Nonlocal):
        times.update(name for node in nodes(kind) for name in node.names)
    times.update(map(_bound_name, nodes(ast.alias)))
    return times


def _bound_name(item: ast.alias) -> str:
    return item.asname or item.name.partition(".")[0]
