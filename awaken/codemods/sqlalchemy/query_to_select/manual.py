"""The finding of a place that stays as it is."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Finding
from awaken.kit.sites import Site
from awaken.project.source.modules import Module


def manual(rule: str, module: Module, node: ast.AST, refused: Refused) -> Finding:
    """Return the finding of ``rule`` at ``node``, which is left alone for what ``refused`` says."""
    return Site(rule, module, node).refusal(refused)
