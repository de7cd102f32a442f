"""How a project's tests run: the runner, what runs its coroutine tests, and in which mode.

pytest takes its settings from the first file that has them (docs.pytest.org, "Configuration file
formats"; ``_pytest.config.findpaths`` of pytest 9.2).
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.knowledge.ecosystem import AsyncTestPlugin, async_test_plugins
from awaken.project.declarations import Declaration, Declarations


class PytestSettings(Struct, frozen=True):
    """The file that pytest takes its settings from, the table of it, and the settings."""

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


class TestsSetup(Struct, frozen=True):
    """What is known of a project's tests; ``pytest`` is where it is declared.

    ``settings`` is the file with pytest's settings (empty where there is none).
    """

    uses_pytest: bool
    pytest: tuple[Declaration, ...]
    settings: str
    plugins: tuple[AsyncPlugin, ...]


def tests_setup(root: Path, declarations: Declarations) -> TestsSetup:
    """Return how the tests of the project in ``root`` run, as its files say."""
    declared = declarations.of("pytest")
    found = pytest_settings(root)
    plugins = [
        _plugin(one, declarations.of(one.distribution), found) for one in async_test_plugins()
    ]
    return TestsSetup(
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
    """Return the settings that pytest takes when it is run in ``root``.

    None where no file in ``root`` has any; files above ``root`` are not looked at.
    """
    for name, read in _READERS:
        path = root / name
        if path.is_file() and (found := read(name, path)) is not None:
            return found
    return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}


def _below(table: object, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _own_toml(name: str, path: Path) -> PytestSettings | None:
    return PytestSettings(name, "", _below(_toml(path), "pytest"))


def _pyproject(name: str, path: Path) -> PytestSettings | None:
    table = _below(_below(_toml(path), "tool"), "pytest")
    native = {key: value for key, value in table.items() if key != "ini_options"}
    if native:
        return PytestSettings(name, "[tool.pytest]", native)
    if "ini_options" in table:
        values = _below(table, "ini_options")
        return PytestSettings(name, "[tool.pytest.ini_options]", values)
    return None


def _ini(section: str, *, always: bool) -> Callable[[str, Path], PytestSettings | None]:
    def read(name: str, path: Path) -> PytestSettings | None:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error):
            return None
        if parser.has_section(section):
            return PytestSettings(name, "" if always else f"[{section}]", dict(parser[section]))
        return PytestSettings(name, "", {}) if always else None

    return read


_READERS: tuple[tuple[str, Callable[[str, Path], PytestSettings | None]], ...] = (
    ("pytest.toml", _own_toml),
    (".pytest.toml", _own_toml),
    ("pytest.ini", _ini("pytest", always=True)),
    (".pytest.ini", _ini("pytest", always=True)),
    ("pyproject.toml", _pyproject),
    ("tox.ini", _ini("pytest", always=False)),
    ("setup.cfg", _ini("tool:pytest", always=False)),
)
