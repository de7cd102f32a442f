"""Imports of a file: which of them an expression begins with, and whether one of them fails."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.project.names.resolution import Names
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.programs.program import Program
from awaken.project.source.programs.undefined import Program as SearchedProgram
from awaken.project.source.programs.undefined import may_be_given
from awaken.project.source.trees import Function, root_of

_REPLACING = (b"sys.modules", b"import_module", b"__import__")
"""A file that holds one of these may put another module in the place of one that it names."""


def imported_from(module: Module, node: ast.expr) -> tuple[str, str] | None:
    """Return module and name of the only ``from`` import of what ``node`` begins with."""
    binding = module.scopes.only_binding(root_of(node))
    alias = None if binding is None else binding.node
    statement = module.parent(alias) if isinstance(alias, ast.alias) else None
    if not isinstance(statement, ast.ImportFrom) or not isinstance(alias, ast.alias):
        return None
    return absolute_module(module, statement), alias.name


def absolute_module(module: Module, statement: ast.ImportFrom) -> str:
    """Return the module that a statement imports from, as an absolute name."""
    if not statement.level:
        return statement.module or ""
    package = module.name.split(".")
    # For a package the first dot is the package itself.
    drop = statement.level - module.is_package
    base = package[: len(package) - drop]
    return ".".join([*base, *([statement.module] if statement.module else [])])


def failing_import(project: Program, names: Names, module: Module) -> str:
    """Return which module lacks which name that a file imports, as a clause; empty if none may."""
    lacking = (
        f"`{home}` has no `{name}`"
        for home, name in _lacking(project, names, module, module.tree.body)
    )
    return module.memoize(failing_import, lambda: next(lacking, ""))


def is_after_failing_import(project: Program, names: Names, module: Module, node: ast.AST) -> bool:
    """Whether ``node`` never runs: its function has an import before it that always fails."""
    return any(_lacking(project, names, module, [*_statements_before(module, node)]))


def _statements_before(module: Module, node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of a function that are done whenever ``node`` is, from inside out."""
    child, above = node, module.parent(node)
    while above is not None and not isinstance(child, Function):
        for _, block in ast.iter_fields(above):
            if isinstance(block, list) and child in block:
                yield from (
                    item for item in block[: block.index(child)] if isinstance(item, ast.stmt)
                )
        child, above = above, module.parent(above)


def _lacking(
    project: Program, names: Names, module: Module, statements: Iterable[ast.stmt]
) -> Iterator[tuple[str, str]]:
    """Yield the modules and names that ``statements`` import, and that no other file has."""
    for statement in statements:
        source = isinstance(statement, ast.ImportFrom) and absolute_module(module, statement)
        path = names.layout.find(source, module.path).path if source else None
        home = None if path is None else project.module(path)
        if home is None or not isinstance(statement, ast.ImportFrom):
            continue
        for alias in statement.names:
            # A package may lack a module that is generated; but nobody calls a module.
            is_meant = not home.is_package or _is_called(module, alias.asname or alias.name)
            if is_meant and lacks(project, names, home, alias.name):
                yield home.name, alias.name


def lacks(project: SearchedProgram, names: Names, home: Module, name: str) -> bool:
    """Whether a file has no such name at its top, and no other file gives it one."""
    table = names.table(home.path)
    if table is None or table.dynamic or table.stars or table.binds(name):
        return False
    if name == "*" or name[:2] == "__" or names.attribute(home.path, name) is not None:
        return False
    dotted = [f"{home.name}.{name}".encode()]
    replacing = set(project.files_with(_REPLACING)) & set(project.files_with([home.name.encode()]))
    is_set = replacing or project.files_with(dotted) or _is_set(project, home)
    return not (is_set or may_be_given(project, home, name))


def _is_set(project: SearchedProgram, home: Module) -> bool:
    """Whether `setattr` gives names to a file."""
    return any(
        module.scopes.builtin_called(call) == "setattr"
        and call.args
        and project.qualified_name(module, call.args[0]) == home.name
        for module, call in nodes_in(
            project.modules_at(project.files_with((b"setattr(",))), ast.Call
        )
    )


def _is_called(module: Module, name: str) -> bool:
    return any(
        isinstance(call.func, ast.Name) and call.func.id == name for call in module.nodes(ast.Call)
    )
