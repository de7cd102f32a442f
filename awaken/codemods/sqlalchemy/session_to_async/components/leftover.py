"""Leftovers: engines and factories that nobody uses any more, and files that never run."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import Shared
from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    Components,
    Found,
)
from awaken.codemods.sqlalchemy.session_to_async.reasons import BESIDE_ANOTHER, FAILING_IMPORT
from awaken.contract import ChangeId, Constraints, Edit
from awaken.kit.changes import Decided, Member, decide_group
from awaken.kit.imports import release_imports
from awaken.kit.search import nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project


_CAVEAT = "code outside the project can no longer import it from this file"


def left_in_failing_files(project: Project, found: Found) -> Iterator[Decided]:
    """Take all in files that cannot be imported, and rewritten in part only, out; say why."""
    refused = [item for item in found.functions if isinstance(item.outcome, Refused)]
    modules = {member.site.module.path: member.site.module for member in refused}
    failing = {path: project.failing_import(module) for path, module in modules.items()}
    members = (*found.functions, *(item for item, _ in found.resources), *found.loading)
    for site in {member.site.id: member.site for member in members}.values():
        if why := failing.get(site.module.path):
            yield Decided((site.refusal(Refused(FAILING_IMPORT, why)),))

    def stays(member: Member) -> bool:
        return not failing.get(member.site.module.path)

    found.functions = [*filter(stays, found.functions)]
    found.resources = [pair for pair in found.resources if stays(pair[0])]
    found.loading = [*filter(stays, found.loading)]


def removed_at_last(
    project: Project,
    components: Components,
    constraints: Constraints,
    others: tuple[ChangeId, ...] = (),
) -> Iterator[Decided]:
    """Yield the removal of what is left of the synchronous side; it requires the ``others``."""
    members = list(_unused_members(project, components, any_changes=bool(others)))
    if members:
        decided = decide_group(members, constraints, BESIDE_ANOTHER)
        changes = tuple(structs.replace(change, requires=others) for change in decided.changes)
        yield structs.replace(decided, changes=changes)


def _unused_members(
    project: Project, components: Components, *, any_changes: bool
) -> Iterator[Member]:
    """Yield the rewrites of engines and factories that nobody uses any more.

    Each has an asynchronous one next to it. After the changes, if there are ``any_changes``, no
    other part of the program names it, and nothing outside may.
    """
    unused = {
        name
        for name in components.twins
        if not components.shared[name].kept
        and components.is_left_by_all(name)
        and (any_changes or not components.shared[name].uses)
    }
    if project.published or not unused:
        return
    while needed := {name for name in unused if _is_needed(project, components, name, unused)}:
        unused -= needed
    for name in sorted(unused):
        yield from _removed_members(project, components, name)


def _is_needed(
    project: Project, components: Components, name: str, unused: Collection[str]
) -> bool:
    """Whether an engine or a factory is imported, or others that stay are built on it."""
    # A class that becomes asynchronous in place gets another base.
    staying = components.shared.keys() - components.in_place - set(unused)
    others = (components.shared[word] for word in staying)
    return _is_imported(project, components.shared[name]) or any(
        name in resource.built_on for resource in others
    )


def _removed_members(project: Project, components: Components, name: str) -> Iterator[Member]:
    shared = components.shared[name]
    module = project.module(shared.piece.path)
    first, *others = components.making(name, ())
    if module is None:
        return
    statement = shared.made_in(module)
    message = f"`{components.twins[name]}` replaces `{shared.name}`, which is no longer used"
    site: Site[ast.AST] = first.site
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    edits: list[Edit] = [site.remove_statement(statement), *release_imports(site, *names)]
    yield Member(site, Rewrite(message, edits, [_CAVEAT]), f"`{shared.name}`")
    for member in others:
        yield Member(member.site, Rewrite(message, []), f"`{shared.name}`")


def _is_imported(project: Project, shared: Shared) -> bool:
    """Whether an import of it may stay: where the file that imports it does not use it."""
    using = {place.path for place, _ in shared.uses}
    home = shared.qualified.rpartition(".")[0]
    for module, node in nodes_with(project, (shared.name.encode(), b"*"), ast.AST):
        is_listed = isinstance(node, ast.Constant) and node.value == shared.name
        is_import = isinstance(node, ast.ImportFrom) and _imports(module, node, shared.name, home)
        goes = module.path in using and node in module.tree.body and not module.is_package
        if (is_listed and module.path == shared.piece.path) or (is_import and not goes):
            return True
    return False


def _imports(module: Module, node: ast.ImportFrom, name: str, home: str) -> bool:
    is_home = (node.module or module.name).rpartition(".")[2] == home.rpartition(".")[2]
    return any(alias.name == name or (alias.name == "*" and is_home) for alias in node.names)
