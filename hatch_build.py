"""Puts rules and knowledge into the wheel, which awaken would else read again in each run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RuleTableHook(BuildHookInterface[Any]):
    """Writes the declarations of rules, and the tables of knowledge without TOML.

    ``awaken.engine.remembering.rule_table`` and ``awaken.knowledge.typed_tables`` read them.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the tables to ``build_data``; an editable install has none, since they change."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from awaken.engine.planning.rule_discovery import built_in  # noqa: PLC0415  needs the path
        from awaken.engine.remembering import rule_table  # noqa: PLC0415
        from awaken.knowledge import typed_tables  # noqa: PLC0415

        rules = msgspec.msgpack.encode(rule_table.table_of(built_in()))
        self._folder.mkdir(parents=True, exist_ok=True)
        for place, content in (
            (rule_table.SHIPPED, rules),
            (typed_tables.SHIPPED, typed_tables.parsed_tables()),
        ):
            file = self._folder / place.name
            file.write_bytes(content)
            build_data["force_include"][str(file)] = str(place.relative_to(self.root))

    def finalize(self, version: str, build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove the files that the wheel has now."""
        if version != "editable":
            for file in build_data["force_include"]:
                if Path(file).parent == self._folder:
                    Path(file).unlink()

    @property
    def _folder(self) -> Path:
        return Path(self.directory)
