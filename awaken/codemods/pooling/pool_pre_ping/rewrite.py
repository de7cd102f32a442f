"""Writes the argument of an engine."""

from __future__ import annotations

import libcst as cst

from awaken.contract import Surroundings
from awaken.editing.arguments import appended, fitted, keyword_argument


def rewrite_engine(node: cst.Call, data: None, around: Surroundings) -> cst.Call:
    """``create_engine(url)`` → ``create_engine(url, pool_pre_ping=True)``."""
    del data
    argument = keyword_argument("pool_pre_ping", cst.Name("True"))
    return fitted(appended(node, argument), around)
