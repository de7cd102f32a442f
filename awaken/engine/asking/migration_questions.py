"""Questions of a migration to its user: settings outside of the program, each with its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tomlkit
from msgspec import Struct

from awaken.contract import Finding
from awaken.engine.recipe_run import StepRun
from awaken.engine.report import RootReport
from awaken.workspace.formats.toml_text import parse_toml, value_at

Settings = dict[str, Any]
KeyPath = tuple[str, ...]


class Question(Struct, frozen=True):
    """Settings of which one may hold, each as TOML; ``count`` places wait for the answer.

    ``finding`` is the first of them, in ``root``.
    """

    answers: tuple[str, ...]
    count: int
    finding: Finding
    root: RootReport


def questions_of(runs: Sequence[StepRun]) -> list[Question]:
    """Return the questions of steps that are stopped, also in part, the most places first.

    Steps before one that is stopped ask as well: it may wait for what they leave.
    """
    asked: dict[tuple[str, ...], list[tuple[Finding, RootReport]]] = {}
    stopped = [at for at, run in enumerate(runs) if run.is_blocked or run.causes]
    for run in runs[: max(stopped, default=-1) + 1]:
        for root in run.report.roots:
            for finding in root.findings:
                if finding.answers:
                    asked.setdefault(finding.answers, []).append((finding, root))
    questions = [Question(answers, len(many), *many[0]) for answers, many in asked.items()]
    return sorted(questions, key=lambda question: (-question.count, question.answers))


def joined_answers(answers: Sequence[str], known: Sequence[Settings] = ()) -> list[str]:
    """Return the answers with one for each setting, as ``--config`` takes it: lists add up.

    ``known`` are the settings of the files, whose lists the answers add to.
    """
    whole = tables_of(answers)
    rows = []
    for path, value in leaves(whole):
        lists = [result for item in known if isinstance(result := value_at(item, path), list)]
        added = [each for found in lists for each in found] if isinstance(value, list) else []
        said = list(dict.fromkeys([*added, *value])) if isinstance(value, list) else value
        rows.append(f"{'.'.join(path)} = {json.dumps(said, ensure_ascii=False)}")
    return rows


def as_settings(answers: Sequence[str], known: Sequence[Settings] = ()) -> str:
    """Return the answers as tables of a ``pyproject.toml``, whose ``known`` lists they add to."""
    whole = tables_of(joined_answers(answers, known))
    return tomlkit.dumps({"tool": {"awaken": whole}}).strip()


def tables_of(answers: Sequence[str]) -> Settings:
    """Return what the answers say together: tables and lists add up."""
    whole: Settings = {}
    for answer in answers:
        _add(whole, parse_toml(answer))
    return whole


def leaves(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the values of nested tables, each with the keys that lead to it."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _add(whole: Settings, more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        known = whole.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _add(known, value)
        elif isinstance(known, list):
            whole[key] = list(dict.fromkeys([*known, *value]))
        else:
            whole[key] = value
