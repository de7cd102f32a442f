"""The finding of a place that stays as it is."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Finding, Level, Place
from awaken.project.modules import Module, site_id


def manual(rule: str, module: Module, node: ast.AST, refused: Refused) -> Finding:
    """Return the finding of ``rule`` at ``node``, which is left alone for what ``refused`` says."""
    return Finding(
        site=site_id(rule, module, node),
        rule=rule,
        level=Level.MANUAL,
        place=Place(module.path, module.span(node)),
        scope=module.scope_name(node),
        message=refused.message,
        reason=f"{rule}/{refused.reason.code}",
        cure=refused.cure,
        chain=refused.because,
    )
