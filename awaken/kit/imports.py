"""Names of what a library defines, in rewritten code: as the file has them, or newly imported."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Edit, Reason, ReleaseImport, Surroundings, TextEdit
from awaken.editing.import_lines import add_name, remove_name
from awaken.kit.names_here import name_here
from awaken.kit.payloads import WRITE_STATEMENTS, Statements
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.sites import Refused, Site
from awaken.project.names.import_origins import absolute_module
from awaken.project.source.modules import Module
from awaken.project.source.trees import root_of
from awaken.workspace.sources import LINE_END, LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.project import Project


def name_from_same_module(
    project: Project,
    site: Site[ast.AST],
    known: ast.expr | None,
    qualified: str,
    taken: Reason = NAME_TAKEN,
) -> tuple[str, list[Edit]]:
    """Return how to write ``qualified`` at ``site``, and the edits that import it.

    ``known`` is an expression of the site from the same module: with ``httpx.Client`` it is
    ``httpx.ASGITransport``, with ``Client`` a name that is imported in the same way. Without one,
    or where it is something else, the file gets a new import. Raises Refused, for the reason
    ``taken``, where the name means something else at the site.
    """
    module, (home, _, name) = site.module, qualified.rpartition(".")
    match known:
        case ast.Attribute(value=value) if project.qualified_name(module, value) == home:
            return f"{module.text_of(value)}.{name}", []
        case ast.Name():
            statements = _imports(module, known, home)
        case _:
            statements = []
    for statement in statements:
        imported = next((alias for alias in statement.names if alias.name == name), None)
        if imported is not None:
            known_as = imported.asname or name
            imports_here(module, site.node, known_as, {home}, Refused(taken, known_as))
            return known_as, []
    try:
        imports_here(module, site.node, name, {home}, Refused(taken, name))
    except Refused:
        # The file may have it under another name: `import Session as OrmSession`.
        written = name_here(module, site.node, name, [home], "")
        if written.needs is not None:
            raise
        return written.text, []
    inner = [node for node in statements if module.parent(node) is not module.tree]
    if inner:
        return name, [_extended_edit(site, node, name) for node in inner]
    return name, [site.need_import(home, name)]


def replace_name(
    project: Project, site: Site[ast.AST], node: ast.expr, qualified: str
) -> tuple[str, list[Edit]]:
    """Return how ``qualified`` is written in the place of ``node``, and the edits that do it.

    ``node`` is a name, or the text of one: an annotation in quotes. Its import goes if nothing else
    uses it. Raises Refused where the new name means something else at the site.
    """
    named = site.module.parse_string(node) if isinstance(node, ast.Constant) else node
    # Names in quotes may be imported for type checkers alone.
    known = node if named is node else None
    written, imports = name_from_same_module(project, site, known, qualified)
    edits = [site.replace(node, written), *imports]
    # ``asyncio`` stays where ``asyncio.get_event_loop`` becomes ``asyncio.get_running_loop``.
    if named is not None and ast.unparse(root_of(named)) != written.partition(".")[0]:
        edits += release_imports(site, named)
    return written, edits


def move_import(
    site: Site[ast.AST], statement: ast.ImportFrom, names: Collection[str], home: str
) -> Edit | None:
    """Return the edit by which ``statement`` imports ``names`` from the module ``home`` instead.

    ``from a import x`` becomes ``from b import x``; other names stay, and so does ``as y``. None
    where that would lose a comment. The engine drops it where another statement is on the line.
    """
    moved = [alias for alias in statement.names if alias.name in names]
    kept: str | None = site.module.text_of(statement)
    for alias in moved:
        kept = remove_name(kept, alias.asname or alias.name) if kept else kept
    if kept is None:
        return None
    # Rewriters write the line ends of the file.
    code = LINE_END.sub("\n", f"{kept}\nfrom {home} import {', '.join(map(ast.unparse, moved))}")
    return site.rewrite(statement, WRITE_STATEMENTS, Statements(code.lstrip()))


def imports_here(
    module: Module, here: ast.AST, name: str, homes: Collection[str], taken: Refused
) -> list[ast.ImportFrom]:
    """Return the statements that import ``name``, as it is seen at the node ``here`` of a file.

    They import it from one of the modules ``homes``, or ``taken`` is raised: the name means
    something else there. Empty if the name is free.
    """
    owner = module.scopes.owner(name, module.scopes.scope_of(here))
    imports: list[ast.ImportFrom] = []
    for binding in () if owner is None else owner.bindings[name]:
        statement = module.parent(binding.node)
        if not isinstance(statement, ast.ImportFrom) or statement.module not in homes:
            raise taken
        imports.append(statement)
    return imports


def _imports(module: Module, name: ast.Name, home: str) -> list[ast.ImportFrom]:
    """Return the statements that import ``name`` from ``home`` itself."""
    above = (module.parent(binding.node) for binding in module.scopes.bindings_of(name))
    return [node for node in above if isinstance(node, ast.ImportFrom) and node.module == home]


def _extended_edit(site: Site[ast.AST], statement: ast.ImportFrom, name: str) -> TextEdit:
    """Return the edit that imports ``name`` by a statement inside a function or a ``try``.

    An import at the top of the file may fail where that one is not even tried.
    """
    text, start = site.module.source.text, site.module.span(statement).start
    line = LINE_END_BYTES.split(text[:start])[-1]
    first = LINE_END_BYTES.search(text)
    style = Surroundings(
        newline="\n" if first is None else first.group().decode(),
        line_indent=line[: len(line) - len(line.lstrip(b" \t"))].decode(),
    )
    return site.replace(statement, add_name(site.module.text_of(statement), name, style))


def release_imports(site: Site[ast.AST], *nodes: ast.expr) -> Iterator[ReleaseImport]:
    """Yield what removes the imports that ``nodes`` begin with, if nothing refers to them then."""
    module = site.module
    for node in nodes:
        first = root_of(node)
        for binding in module.scopes.bindings_of(first):
            statement = module.parent(binding.node)
            match binding.node:
                case ast.alias(name=name) if isinstance(statement, ast.ImportFrom):
                    yield site.release_import(absolute_module(module, statement), name)
                case ast.alias(name=name) if isinstance(statement, ast.Import):
                    yield site.release_import(name)


def name_behind(
    project: Project, site: Site[ast.AST], qualified: str, known: ast.expr | None = None
) -> tuple[str, list[Edit]]:
    """Return how to write ``qualified`` at ``site``, and the edits that import its module.

    It is an attribute of the module of ``known``, as written in the file: ``to_thread`` or
    ``aio.to_thread``. Else it is one of its own module, newly imported. Raises Refused where the
    name of the module means something else at the site.
    """
    home, _, name = qualified.rpartition(".")
    module = site.module
    if isinstance(known, ast.Attribute) and project.qualified_name(module, known.value) == home:
        return f"{module.text_of(known.value)}.{name}", []
    written = name_here(module, site.node, name, [home], "")
    if written.needs is None:
        return written.text, []
    if module.scopes.is_bound(home, site.node):
        raise Refused(NAME_TAKEN, home)
    return qualified, [site.need_import(home)]
