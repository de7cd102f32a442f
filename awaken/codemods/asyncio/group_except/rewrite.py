"""The rewriter: a ``try`` with ``except*`` in place of ``except``."""

from __future__ import annotations

import libcst as cst

from awaken.contract import Surroundings


def try_star(node: cst.Try, _data: None, _around: Surroundings) -> cst.TryStar:
    """``except ValueError:`` → ``except* ValueError:``, in all handlers."""
    return cst.TryStar(
        body=node.body,
        handlers=[_star(handler) for handler in node.handlers],
        orelse=node.orelse,
        finalbody=node.finalbody,
        leading_lines=node.leading_lines,
        whitespace_before_colon=node.whitespace_before_colon,
    )


def _star(handler: cst.ExceptHandler) -> cst.ExceptStarHandler:
    if handler.type is None:
        raise ValueError("a handler of everything cannot be starred")
    return cst.ExceptStarHandler(
        body=handler.body,
        type=handler.type,
        name=handler.name,
        leading_lines=handler.leading_lines,
        whitespace_after_except=cst.SimpleWhitespace(""),
        whitespace_after_star=handler.whitespace_after_except,
        whitespace_before_colon=handler.whitespace_before_colon,
    )
