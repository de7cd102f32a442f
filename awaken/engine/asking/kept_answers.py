"""Questions of a migration to its user, and their answers in the settings of a project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from msgspec import Struct

from awaken.contract import Finding, SetKey, SiteId, UserError
from awaken.engine.manifests.toml_keys import with_toml_key
from awaken.engine.manifests.whole_texts import CannotAdd, editable_text, with_text
from awaken.engine.recipe_run import StepRun
from awaken.engine.report import RootReport
from awaken.engine.writing.applying import FileWrite, apply
from awaken.settings.settings_files import nearest_file, tables_above
from awaken.workspace.formats.toml_text import parse_toml, value_at
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of
from awaken.workspace.sources import SourceFile, Undecodable, decode_settings


def answers_file(root: Path) -> Path:
    """Return the file for the answers of the project in ``root``; it may not exist yet."""
    manifest = root / "pyproject.toml"
    return nearest_file(root) or (manifest if manifest.is_file() else root / "awaken.toml")


def settings_in(root: Path) -> Settings:
    """Return what the settings file of a project says now. Raises UserError."""
    path = answers_file(root)
    source = _source(path)
    if source is None:
        return {}
    value = value_at(parse_toml(source.text.decode()), tables_above(path))
    return value if isinstance(value, dict) else {}


def keep_answers(root: Path, answers: Sequence[str], command: str) -> Path:
    """Write ``answers`` (TOML) into the settings of a project, and return the file.

    A list gets what it lacks, a table its new keys. ``command`` goes into the journal. Raises
    UserError for a file that awaken cannot write without a change to other lines.
    """
    path = answers_file(root)
    source = _source(path) or SourceFile(path.name, b"")
    try:
        text = with_answers(editable_text(source), tables_above(path), answers)
    except CannotAdd as error:
        raise UserError(
            f"awaken cannot write the answers to {path.name}: {error}; write them yourself"
        ) from error
    new, _ = with_text(source, text)
    apply(path.parent, [FileWrite(path, source.digest, new.raw())], command=command)
    return path


def with_answers(text: str, above: Sequence[str], answers: Sequence[str]) -> str:
    """Return the ``text`` of a settings file with ``answers`` in it. Raises CannotAdd."""
    for path, value in leaves(tables_of(answers)):
        *tables, key = (*above, *path)
        known = value_at(parse_toml(text), (*tables, key))
        edit = SetKey(
            path="", table=tuple(tables), key=key, value=_with_items(known, value), site=SiteId("")
        )
        text, _ = with_toml_key(text, edit)
    return text


def _with_items(known: Any, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(dict.fromkeys([*(known if isinstance(known, list) else ()), *value]))


def _source(path: Path) -> SourceFile | None:
    try:
        return decode_settings(path.name, enclosure_of(path.parent).read(path, METADATA_LIMIT))
    except FileNotFoundError:
        return None
    except Undecodable as error:
        raise UserError(f"{path}: {error}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error


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
