"""Writes the statement that disposes of an engine."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from awaken.codemods.pooling.engine_dispose.payload import Disposal
from awaken.contract import Surroundings


def insert_disposal(
    _node: None, data: Disposal, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """``await engine.dispose()``."""
    return [cst.parse_statement(f"await {data.engine}.dispose()")]
