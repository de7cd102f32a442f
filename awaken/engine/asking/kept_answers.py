"""Writes the answers of a migration into the settings of a project, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from awaken.contract import SetKey, SiteId, UserError
from awaken.engine.asking.migration_questions import Settings, leaves, tables_of
from awaken.engine.manifests.toml_keys import with_toml_key
from awaken.engine.manifests.whole_texts import CannotAdd, editable_text, with_text
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
