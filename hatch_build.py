"""Puts the declarations of awaken's rules into the wheel, so that no run reads their classes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RuleTableHook(BuildHookInterface[Any]):
    """Writes the table that `awaken.engine.remembering.rule_table` reads."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the table to ``build_data``; an editable install has none, since rules change."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from awaken.engine.planning.rule_discovery import built_in  # noqa: PLC0415  needs the path
        from awaken.engine.remembering.rule_table import SHIPPED, table_of  # noqa: PLC0415

        self._table.parent.mkdir(parents=True, exist_ok=True)
        self._table.write_bytes(msgspec.msgpack.encode(table_of(built_in())))
        build_data["force_include"][str(self._table)] = str(SHIPPED.relative_to(self.root))

    def finalize(self, version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove the file that the wheel has now."""
        if version != "editable":
            self._table.unlink()

    @property
    def _table(self) -> Path:
        return Path(self.directory, "rule_table.msgpack")
