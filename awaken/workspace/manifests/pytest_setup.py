"""The test setup of a project: the runner, what runs its coroutine tests, and in which mode."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from awaken.knowledge.ecosystem import AsyncTestPlugin, async_test_plugins
from awaken.workspace.manifests.manifest_declarations import Declaration, Declarations
from awaken.workspace.manifests.pytest_settings import (
    TEST_LOOP_SCOPE,
    PytestSettings,
    pytest_settings,
)


class AsyncPlugin(Struct, frozen=True):
    """Something that runs coroutine tests; ``mode`` is empty where it has none.

    ``mode_origin`` says where the mode was read, or that it is the default.
    """

    name: str
    declared: tuple[Declaration, ...]
    mode: str
    mode_origin: str


class PytestSetup(Struct, frozen=True):
    """Facts about a project's tests; ``pytest`` is the place of its declaration.

    ``settings`` is the file with pytest's settings (empty where there is none). ``test_paths`` are
    where tests are looked for, empty for everywhere; the loop scopes are those of pytest-asyncio,
    of fixtures and of tests, empty where nothing is said.
    """

    uses_pytest: bool
    pytest: tuple[Declaration, ...]
    settings: str
    plugins: tuple[AsyncPlugin, ...]
    test_paths: tuple[str, ...] = ()
    fixture_loop_scope: str = ""
    test_loop_scope: str = ""


def pytest_setup(root: Path, declarations: Declarations) -> PytestSetup:
    """Return how the tests of the project in ``root`` run, as its files say."""
    declared = declarations.statements_about("pytest")
    result = pytest_settings(root)
    plugins = [
        _plugin(item, declarations.statements_about(item.distribution), result)
        for item in async_test_plugins()
    ]
    return PytestSetup(
        uses_pytest=bool(declared) or result is not None,
        pytest=declared,
        settings="" if result is None else _place(result),
        plugins=tuple(plugin for plugin in plugins if plugin is not None),
        test_paths=() if result is None else result.test_paths,
        fixture_loop_scope="" if result is None else result.fixture_loop_scope,
        test_loop_scope="" if result is None else result.value_of(TEST_LOOP_SCOPE)[0],
    )


def _place(settings: PytestSettings) -> str:
    return f"{settings.table} in {settings.path}" if settings.table else settings.path


def _plugin(
    known: AsyncTestPlugin, declared: tuple[Declaration, ...], settings: PytestSettings | None
) -> AsyncPlugin | None:
    mode, origin = _mode(known, settings)
    chosen = any(not declaration.locked for declaration in declared)
    if not chosen and not mode:
        return None  # a lock file alone also names what other distributions need
    if not mode and known.mode:
        mode, origin = known.mode, "its default"
    return AsyncPlugin(known.distribution, declared, mode, origin)


def _mode(known: AsyncTestPlugin, settings: PytestSettings | None) -> tuple[str, str]:
    """Return the mode that pytest's settings give a plugin, and where; empty if they do not."""
    if settings is None or not known.setting:
        return "", ""
    mode, key = settings.value_of(known.setting, known.option)
    return mode.lower(), f"{key} in {_place(settings)}" if key else ""
