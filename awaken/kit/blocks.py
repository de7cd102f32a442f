"""The block of a statement: the statements among which it stands."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module

_BLOCKS = ("body", "orelse", "finalbody")


def block_of(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    """Return the statements among which ``statement`` stands, itself included, in their order."""
    above = module.parent(statement)
    blocks = (getattr(above, name, None) for name in _BLOCKS)
    return next((one for one in blocks if isinstance(one, list) and statement in one), [statement])
