"""All installed rules, those of awaken made from what a build or an earlier run read of classes."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

import msgspec
from msgspec import Struct, ValidationError

from awaken.engine.machine.state_directory import cache_key
from awaken.engine.planning.rule_discovery import all_rules, built_in, in_order, plugins
from awaken.engine.remembering.result_places import own_results
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.kit.rule import Rule
from awaken.settings.rule_data import RuleData, data_of, rule_from
from awaken.workspace.file_reading import TICK
from awaken.workspace.reading import FileState, state_at

SHIPPED = Path(__file__).with_suffix(".msgpack")
"""The table of a built distribution: `hatch_build.py` puts it there. A checkout has none."""

_RULES = hashlib.sha256(b"rules").digest()


class RuleTable(Struct, frozen=True):
    """The declarations of awaken's own rules."""

    rules: tuple[RuleData, ...]


class NoPlugins(Struct, frozen=True):
    """The states of all files that could name a plug-in, when none did; None for no file."""

    files: dict[str, FileState | None]


def installed_rules(base: Path | None, *, use: bool) -> tuple[Rule, ...]:
    """Return one instance of every rule there is, by family and name.

    Those that are made from data import their code when it is needed. A built distribution has
    data, and with ``use`` the cache. ``base`` is the cache directory, None for the user's. Raises
    TypeError if a rule lacks an attribute.
    """
    if all_rules.cache_info().currsize:
        return all_rules()
    shipped, key = _shipped_table(), cache_key() if use else None
    if key is None:
        if shipped is None:
            return all_rules()
        return in_order((*map(rule_from, shipped.rules), *plugins()))
    kept = own_results(base, key)
    others = _plugins(kept)
    table = shipped or kept.get(RuleTable, _RULES)
    if table is not None:
        own: list[Rule] = list(map(rule_from, table.rules))
    else:
        own = built_in()
        # A rule in the making may declare what is no data; its class says it all.
        with suppress(ValidationError, TypeError):
            kept.put(_RULES, table_of(own))
    kept.save()
    return in_order((*own, *others))


def table_of(rules: Iterable[Rule]) -> RuleTable:
    """Return the declarations of rules. Raises msgspec.ValidationError for what is no data."""
    return RuleTable(tuple(map(data_of, rules)))


def _shipped_table() -> RuleTable | None:
    with suppress(OSError):
        return msgspec.msgpack.decode(SHIPPED.read_bytes(), type=RuleTable)
    return None


def _plugins(kept: ResultsCache) -> list[Rule]:
    """Return the rules of plug-ins: to find that there is none takes a tenth of a whole run."""
    started, files = time.time_ns(), _naming_plugins()
    place = hashlib.sha256(repr(sys.path).encode()).digest()
    known = kept.get(NoPlugins, place)
    if known is not None and known.files == files and _finds_on_path_only():
        return []
    rules = plugins()
    # A file that was written just now may be written again at the same time.
    is_old = all(file is None or file.latest < started - TICK for file in files.values())
    if is_old and not rules:
        kept.put(place, NoPlugins(files))
    return rules


def _naming_plugins() -> dict[str, FileState | None]:
    """Return the states of all files of distributions that may name a plug-in."""
    files: dict[str, FileState | None] = {}
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208  hot
        except OSError:  # an archive, or nothing
            files[place] = state_at(place)
        else:
            result = (name for name in names if name.lower().endswith(_METADATA))
            files |= {
                file: state_at(file) for name in result for file in [f"{place}/{name}{_NAMING}"]
            }
    return files


_METADATA = (".dist-info", "egg-info")
_NAMING = "/entry_points.txt"


def _finds_on_path_only() -> bool:
    """Whether nothing else than the files on the path can name a distribution."""
    others = (finder for finder in sys.meta_path if finder is not PathFinder)
    return not any(hasattr(finder, "find_distributions") for finder in others)
