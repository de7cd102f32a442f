"""The test setup of a project: the runner, what runs its coroutine tests, and in which mode.

pytest takes its settings from the first file that has them (docs.pytest.org, "Configuration file
formats"; ``_pytest.config.findpaths`` of pytest 9.2).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.knowledge.ecosystem import AsyncTestPlugin, async_test_plugins
from awaken.workspace.ini import NotIni, Sections, parse_ini
from awaken.workspace.manifests.declarations import Declaration, Declarations
from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, upwards
from awaken.workspace.toml_text import NotToml, parse_toml


class PytestSettings(Struct, frozen=True):
    """The file that pytest takes its settings from, the table of it, and the settings.

    ``path`` is relative to the root; ``table`` is empty where the whole file is pytest's.
    """

    path: str
    table: str
    values: Mapping[str, Any]


class AsyncPlugin(Struct, frozen=True):
    """Something that runs coroutine tests; ``mode`` is empty where it has none.

    ``mode_origin`` says where the mode was read, or that it is the default.
    """

    name: str
    declared: tuple[Declaration, ...]
    mode: str
    mode_origin: str


class PytestSetup(Struct, frozen=True):
    """What is known of a project's tests; ``pytest`` is where it is declared.

    ``settings`` is the file with pytest's settings (empty where there is none).
    """

    uses_pytest: bool
    pytest: tuple[Declaration, ...]
    settings: str
    plugins: tuple[AsyncPlugin, ...]


def pytest_setup(root: Path, declarations: Declarations) -> PytestSetup:
    """Return how the tests of the project in ``root`` run, as its files say."""
    declared = declarations.of("pytest")
    found = pytest_settings(root)
    plugins = [
        _plugin(one, declarations.of(one.distribution), found) for one in async_test_plugins()
    ]
    return PytestSetup(
        uses_pytest=bool(declared) or found is not None,
        pytest=declared,
        settings="" if found is None else _place(found),
        plugins=tuple(plugin for plugin in plugins if plugin is not None),
    )


def _place(settings: PytestSettings) -> str:
    return f"{settings.table} in {settings.path}" if settings.table else settings.path


def _plugin(
    known: AsyncTestPlugin, declared: tuple[Declaration, ...], settings: PytestSettings | None
) -> AsyncPlugin | None:
    mode, origin = _mode(known, settings)
    chosen = any(not one.locked for one in declared)
    if not chosen and not mode:
        return None  # a lock file alone also names what other distributions need
    if not mode and known.mode:
        mode, origin = known.mode, "its default"
    return AsyncPlugin(known.distribution, declared, mode, origin)


def _mode(known: AsyncTestPlugin, settings: PytestSettings | None) -> tuple[str, str]:
    """Return the mode that pytest's settings give a plugin, and where; empty if they do not."""
    if settings is None:
        return "", ""
    values = settings.values
    options = values.get("addopts", "")
    options = " ".join(map(str, options)) if isinstance(options, list) else str(options)
    if known.option and (given := re.search(rf"{known.option}[=\s]+(\S+)", options)):
        return given[1], f"addopts in {_place(settings)}"
    if known.setting and known.setting in values:
        value = values[known.setting]
        return str(value).lower(), f"{known.setting} in {_place(settings)}"
    return "", ""


def pytest_settings(root: Path) -> PytestSettings | None:
    """Return the settings that pytest takes when it is run in ``root``, as it looks for them.

    Those of the nearest directory at or above ``root`` in which a file has some, up to the top of
    its repository; None without.
    """
    # The nearest directory first, in it the files in pytest's own order; the first one that has
    # settings is the only one that counts.
    for directory in upwards(root):
        for name, read in _READERS:
            path = directory / name
            if (text := _text(path)) is not None and (found := read(text)) is not None:
                shown = os.path.relpath(path, root).replace(os.sep, "/")
                return PytestSettings(shown, *found)
    return None


def _text(path: Path) -> str | None:
    """Return the text of a file, empty for one that is not UTF-8; None where there is none."""
    try:
        return enclosure_of(path.parent).read(path, METADATA_LIMIT).decode()
    except OSError:
        return None
    except UnicodeDecodeError:
        return ""


def _toml(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except NotToml:
        return {}


def _below(table: object, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


_Found = tuple[str, Mapping[str, Any]]
"""The table of a file that is pytest's (empty for all of it), and what it says."""


def _own_toml(text: str) -> _Found | None:
    return "", _below(_toml(text), "pytest")


def _pyproject(text: str) -> _Found | None:
    table = _below(_below(_toml(text), "tool"), "pytest")
    native = {key: value for key, value in table.items() if key != "ini_options"}
    if native:
        return "[tool.pytest]", native
    if "ini_options" in table:
        return "[tool.pytest.ini_options]", _below(table, "ini_options")
    return None


def _own_ini(text: str) -> _Found | None:
    return "", _ini(text).get("pytest", {})


def _section(name: str) -> Callable[[str], _Found | None]:
    def read(text: str) -> _Found | None:
        settings = _ini(text)
        return (f"[{name}]", settings[name]) if name in settings else None

    return read


def _ini(text: str) -> Sections:
    try:
        return parse_ini(text)
    except NotIni:
        return {}


_READERS: tuple[tuple[str, Callable[[str], _Found | None]], ...] = (
    ("pytest.toml", _own_toml),
    (".pytest.toml", _own_toml),
    ("pytest.ini", _own_ini),
    (".pytest.ini", _own_ini),
    ("pyproject.toml", _pyproject),
    ("tox.ini", _section("pytest")),
    ("setup.cfg", _section("tool:pytest")),
)
