"""The settings as values: one layer of them, and what all layers of a project come to.

Names and meanings are ruff's wherever ruff has the setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.project.ignores import DEFAULT_EXCLUDE


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What differs for some files.

    ``paths`` are patterns as in ``.gitignore``, relative to the directory of the file that says
    so. ``ignore`` names rules and families; their sites there are left alone and counted apart.
    """

    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One layer: a file's ``[tool.awaken]``, ``--config KEY=VALUE``, or the options of a command.

    None, or an empty value, says nothing. ``rules`` holds the options of each rule by its name.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool | None = None
    target_version: str | None = None
    target: Mapping[str, str] = {}
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool | None = None
    respect_gitignore: bool | None = None
    baseline: str | None = None
    cache_dir: str | None = None
    overrides: tuple[Override, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = {}


class Layer(Struct, frozen=True):
    """Settings and where they were said: ``pyproject.toml``, ``--config``, ``the command line``.

    Relative paths and patterns in them are relative to ``directory``.
    """

    origin: str
    directory: Path
    settings: Settings


class Resolved(Struct, frozen=True, kw_only=True):
    """What holds for one project root, all layers joined.

    ``rules`` are the names of those that run. ``options`` gives each rule that has any its options,
    typed and validated. ``origins`` says for each setting that somebody set, in kebab case, where.
    """

    rules: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    target_version: str | None = None
    target: Mapping[str, str] = {}
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    force_exclude: bool = False
    respect_gitignore: bool = True
    baseline: Path | None = None
    cache_dir: Path | None = None
    overrides: tuple[Override, ...] = ()
    options: Mapping[str, Struct] = {}
    origins: Mapping[str, str] = {}
