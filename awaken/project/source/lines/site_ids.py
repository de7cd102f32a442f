"""Identities of sites, which survive edits of their neighbours and moves of their lines."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter

from awaken.contract import SiteId
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import fingerprint, look_of
from awaken.project.source.worklist import groups_of


def site_id(rule: str, module: Module, node: ast.AST) -> SiteId:
    """Return the identity of a site.

    It is a digest of the rule, the path, the scope and the node's syntax without positions. Equal
    nodes of one scope are numbered in the order of the source.
    """
    scope, syntax, count = among_equals(module, node)
    digest = hashlib.sha256("\0".join((rule, module.path, scope, str(count), "")).encode())
    digest.update(syntax)
    return SiteId(digest.hexdigest()[:16])


def among_equals(module: Module, node: ast.AST) -> tuple[str, bytes, int]:
    """Return the scope of ``node``, its syntax, and how many such nodes are before it."""
    return _equals(module, type(node), look_of(node))[node]


@cached_in_file
def _equals(
    module: Module, kind: type[ast.AST], look: tuple[object, ...]
) -> dict[ast.AST, tuple[str, bytes, int]]:
    result: dict[ast.AST, tuple[str, bytes, int]] = {}
    seen: Counter[tuple[str, bytes]] = Counter()
    for other in _by_look(module, kind)[look]:
        key = (module.scope_name(other), fingerprint(other))
        result[other] = (*key, seen[key])
        seen[key] += 1
    return result


@cached_in_file
def _by_look(module: Module, kind: type[ast.AST]) -> dict[tuple[object, ...], list[ast.AST]]:
    """Return the nodes of a type by their looks, those of one look in source order."""
    return groups_of(module.nodes(kind), look_of)
