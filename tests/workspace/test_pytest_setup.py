from __future__ import annotations

import pytest

from awaken.workspace.manifests.manifest_declarations import Declaration, Declarations
from awaken.workspace.manifests.pytest_settings import pytest_settings
from awaken.workspace.manifests.pytest_setup import AsyncPlugin, pytest_setup

AUTO = "asyncio_mode = {}auto{}\n"
INI, TOML = AUTO.format("", ""), AUTO.format('"', '"')


@pytest.fixture
def root(tmp_path):
    # pytest looks further up; a file of this name ends that
    (tmp_path / "pytest.ini").write_text("")
    directory = tmp_path / "program"
    directory.mkdir()
    return directory


def seen(root):
    return pytest_setup(root, Declarations(root))


@pytest.mark.parametrize(
    ("file", "text", "table"),
    [
        ("pytest.toml", f"[pytest]\n{TOML}", ""),
        (".pytest.toml", f"[pytest]\n{TOML}", ""),
        ("pytest.ini", f"[pytest]\n{INI}", ""),
        (".pytest.ini", f"[pytest]\n{INI}", ""),
        ("pyproject.toml", f"[tool.pytest]\n{TOML}", "[tool.pytest]"),
        ("pyproject.toml", f"[tool.pytest.ini_options]\n{TOML}", "[tool.pytest.ini_options]"),
        ("tox.ini", f"[tox]\n[pytest]\n{INI}", "[pytest]"),
        ("setup.cfg", f"[metadata]\n[tool:pytest]\n{INI}", "[tool:pytest]"),
    ],
)
def test_every_file_that_pytest_reads_is_read(root, file, text, table):
    (root / file).write_text(text)

    found = pytest_settings(root)

    assert found is not None
    assert (found.path, found.table) == (file, table)
    assert found.values == {"asyncio_mode": "auto"}


def test_the_first_file_wins_even_when_it_is_empty(root):
    (root / "pytest.ini").write_text("")
    (root / "setup.cfg").write_text(f"[tool:pytest]\n{INI}")

    found = pytest_settings(root)

    assert found is not None
    assert (found.path, found.values) == ("pytest.ini", {})


@pytest.mark.parametrize("file", ["pyproject.toml", "tox.ini", "setup.cfg"])
def test_a_file_without_a_table_for_pytest_leaves_it_to_the_ones_above(root, file):
    (root / file).write_text("[tool.black]\n")

    found = pytest_settings(root)

    assert found is not None
    assert found.path == "../pytest.ini"


def test_the_mode_is_that_of_the_settings(root):
    (root / "requirements.txt").write_text("pytest\npytest-asyncio==0.23.2\n")
    (root / "pytest.ini").write_text(f"[pytest]\n{INI}")

    setup = seen(root)

    assert setup.uses_pytest
    assert setup.settings == "pytest.ini"
    assert setup.plugins == (
        AsyncPlugin(
            "pytest-asyncio",
            (Declaration("requirements.txt", 2, "==0.23.2"),),
            "auto",
            "asyncio_mode in pytest.ini",
        ),
    )


def test_where_tests_are_and_which_loops_they_run_in(root):
    (root / "pytest.ini").write_text(
        "[pytest]\ntestpaths = tests more\nasyncio_default_test_loop_scope = session\n"
    )

    setup = seen(root)

    assert setup.test_paths == ("tests", "more")
    assert (setup.fixture_loop_scope, setup.test_loop_scope) == ("", "session")


@pytest.mark.parametrize("options", ["-q --asyncio-mode=auto", "-q\n  --asyncio-mode auto"])
def test_an_option_of_pytest_wins_over_the_setting(root, options):
    (root / "requirements.txt").write_text("pytest-asyncio\n")
    text = f"[pytest]\nasyncio_mode = strict\naddopts = {options}\n"
    (root / "pytest.ini").write_text(text)

    (plugin,) = seen(root).plugins

    assert (plugin.mode, plugin.mode_origin) == ("auto", "addopts in pytest.ini")


def test_without_a_setting_it_is_the_default_of_the_plugin(root):
    (root / "requirements.txt").write_text("pytest-asyncio\npytest-aiohttp\n")

    modes = {plugin.name: (plugin.mode, plugin.mode_origin) for plugin in seen(root).plugins}

    assert modes == {"pytest-asyncio": ("strict", "its default"), "pytest-aiohttp": ("", "")}


def test_anyio_in_a_lock_file_alone_is_no_test_plugin(root):
    (root / "uv.lock").write_text('[[package]]\nname = "anyio"\nversion = "4.9"\n')

    assert seen(root).plugins == ()

    (root / "pytest.ini").write_text("[pytest]\nanyio_mode = auto\n")

    assert [plugin.mode for plugin in seen(root).plugins] == ["auto"]


def test_what_cannot_be_read_says_nothing(root):
    (root / "pyproject.toml").write_text("[tool\n")
    (root / "tox.ini").write_bytes(b"[pytest]\nasyncio_mode = \xff\n")

    found = pytest_settings(root)

    assert found is not None
    assert found.path == "../pytest.ini"
