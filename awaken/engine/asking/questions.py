"""What a migration asks its user: settings that nobody else knows, each with its answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import tomlkit
from msgspec import Struct

from awaken.contract import Finding
from awaken.engine.recipe_run import StepRun
from awaken.engine.report import RootReport
from awaken.workspace.formats.toml_text import parse_toml

Settings = dict[str, Any]


class Question(Struct, frozen=True):
    """Settings of which one may hold, each as TOML; ``count`` places wait for the answer.

    ``finding`` is the first of them, in ``root``.
    """

    answers: tuple[str, ...]
    count: int
    finding: Finding
    root: RootReport


def questions_of(runs: Iterable[StepRun]) -> list[Question]:
    """Return the questions of the steps that are blocked, those with the most places first."""
    asked: dict[tuple[str, ...], list[tuple[Finding, RootReport]]] = {}
    for run in runs:
        for root in run.report.roots if run.is_blocked else ():
            for finding in root.findings:
                if finding.answers:
                    asked.setdefault(finding.answers, []).append((finding, root))
    questions = [Question(answers, len(many), *many[0]) for answers, many in asked.items()]
    return sorted(questions, key=lambda one: (-one.count, one.answers))


def joined(answers: Sequence[str]) -> list[str]:
    """Return the answers with one for each setting, as ``--config`` takes it: lists add up."""
    whole: Settings = {}
    for one in answers:
        _add(whole, parse_toml(one))
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in _leaves(whole)]


def as_settings(answers: Sequence[str]) -> str:
    """Return the answers as tables of a ``pyproject.toml``."""
    whole: Settings = {}
    for one in answers:
        _add(whole, parse_toml(one))
    return tomlkit.dumps({"tool": {"awaken": whole}}).strip()


def _add(whole: Settings, more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        known = whole.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _add(known, value)
        elif isinstance(known, list):
            whole[key] = list(dict.fromkeys([*known, *value]))
        else:
            whole[key] = value


def _leaves(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        path = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value
