"""The check that new code sees what its change imports, not another binding of the name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.contract import NeedImport, Place, Problem, Span
from awaken.engine.edits.file_slices import binds, nodes_on_lines
from awaken.engine.edits.owned_edits import OwnedEdit
from awaken.engine.rewriting.pieces import Assembled
from awaken.project.source.modules import Module


def shadowing_problems(
    assembled: Assembled, needs: Sequence[OwnedEdit[NeedImport]]
) -> Iterator[Problem]:
    """Yield a problem for each new name that a scope around the new code binds differently."""
    module = assembled.module
    # The import itself is not in the text yet, so any binding is another one.
    bound = {name for name in {_bound_name(need.edit) for need in needs} if binds(module, name)}
    for piece in assembled.pieces if bound else ():
        own = [owned for owned in needs if owned.change in piece.changes]
        names = {
            _bound_name(owned.edit): owned for owned in own if _bound_name(owned.edit) in bound
        }
        if not names:
            continue
        span = assembled.moved.to_after(piece.span)
        for node in _names_in(module, span):
            owned = names.get(node.id)
            if owned is not None and _means_another(module, node, owned.edit):
                what = f"the name {node.id} means something else where the new code needs it"
                place = Place(module.path, piece.span)
                yield Problem(place, what, (owned.change,))


def _bound_name(edit: NeedImport) -> str:
    return edit.alias or edit.name or edit.module.partition(".")[0]


def _names_in(module: Module, span: Span) -> Iterator[ast.Name]:
    first, _ = module.line_column(span)
    last, _ = module.line_column(Span(span.end, span.end))
    for node in nodes_on_lines(module.tree, range(first, last + 1)):
        if isinstance(node, ast.Name) and span.contains(module.span(node)):
            yield node


def _means_another(module: Module, node: ast.Name, edit: NeedImport) -> bool:
    scopes = module.scopes
    if not scopes.is_shadowed(node.id, node):
        return False
    return not all(
        isinstance(binding.node, ast.alias)
        and _imports_the_same(module.parent(binding.node), binding.node, edit)
        and module.span(binding.node).end <= module.span(node).start  # bound before it is used
        for binding in scopes.bindings_of(node)
    )


def _imports_the_same(statement: ast.AST | None, alias: ast.alias, edit: NeedImport) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return (statement.module, alias.name) == (edit.module, edit.name) and not statement.level
    return edit.name is None and alias.name == edit.module
