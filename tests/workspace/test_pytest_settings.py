"""What the settings of pytest say; ``test_pytest_setup`` has which file they are read from."""

from __future__ import annotations

import pytest

from awaken.workspace.manifests.pytest_settings import PytestSettings, settings_above, settings_in

INI = """\
[pytest]
asyncio_mode = Auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = module
testpaths = tests "more tests"
python_files = check_*.py
python_classes = Check
python_functions =
    check
    *_case
filterwarnings =
    error
    # not this one
    ignore:a b:DeprecationWarning
addopts = -p one -pno:two -ra
"""
TOML = """\
[tool.pytest.ini_options]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "session"
asyncio_default_test_loop_scope = "module"
testpaths = ["tests", "more tests"]
python_files = "check_*.py"
python_classes = "Check"
python_functions = ["check", "*_case"]
filterwarnings = ["error", "ignore:a b:DeprecationWarning"]
addopts = ["-p", "one", "-pno:two", "-ra"]
"""


def read(name, text):
    found = settings_in({name: text}.get)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", INI),
        ("tox.ini", INI),
        ("setup.cfg", INI.replace("[pytest]", "[tool:pytest]")),
        ("pyproject.toml", TOML),
        ("pyproject.toml", TOML.replace(".ini_options", "")),
        ("pytest.toml", TOML.replace("tool.pytest.ini_options", "pytest")),
    ],
)
def test_every_form_says_the_same(name, text):
    found = read(name, text)

    assert found.asyncio_mode == "auto"
    assert (found.fixture_loop_scope, found.test_loop_scope) == ("session", "module")
    assert found.test_paths == ("tests", "more tests")
    assert (found.python_files, found.python_classes) == (("check_*.py",), ("Check",))
    assert found.python_functions == ("check", "*_case")
    assert found.filter_warnings == ("error", "ignore:a b:DeprecationWarning")
    assert found.plugins == ("one", "no:two")


def test_without_settings_the_defaults_hold():
    found = PytestSettings()

    assert found.asyncio_mode == "strict"
    assert (found.fixture_loop_scope, found.test_loop_scope) == ("", "function")
    assert (found.test_paths, found.filter_warnings, found.plugins) == ((), (), ())
    assert found.python_files == ("test_*.py", "*_test.py")
    assert (found.python_classes, found.python_functions) == (("Test",), ("test",))


@pytest.mark.parametrize(
    ("addopts", "mode"),
    [
        ("", "strict"),
        ("--asyncio-mode=auto", "auto"),
        ("--asyncio-mode auto -x", "auto"),
        ("--asyncio-mode=auto --asyncio-mode=strict", "strict"),
        ("-o asyncio_mode=auto", "auto"),
        ("--override-ini=asyncio_mode=auto", "auto"),
        ("-oasyncio_mode=auto", "auto"),
        ("-o asyncio_mode=auto --asyncio-mode=strict", "strict"),
        ("-o other=auto", "strict"),
        ("--asyncio-mode=auto 'open", "auto"),
        ("--asyncio-mode", ""),
    ],
)
def test_options_win_over_keys(addopts, mode):
    found = read("pytest.ini", f"[pytest]\nasyncio_mode = strict\naddopts = {addopts}\n")

    assert found.value_of("asyncio_mode", "--asyncio-mode")[0] == mode


def test_addopts_override_lists():
    found = read("pytest.ini", "[pytest]\ntestpaths = a\naddopts = -o testpaths='b c'\n")

    assert found.test_paths == ("b", "c")


@pytest.mark.parametrize(
    "value", ["3", "true", "[1, [2]]", "{ a = 1 }", "1979-05-27", '"\'"', "[]", '""']
)
def test_values_of_other_types_are_no_error(value):
    keys = ("addopts", "testpaths", "asyncio_mode", "filterwarnings", "python_files")
    found = read("pytest.toml", "[pytest]\n" + "".join(f"{key} = {value}\n" for key in keys))

    seen = (found.asyncio_mode, *found.test_paths, *found.filter_warnings, *found.python_files)

    assert all(isinstance(one, str) for one in (*seen, *found.plugins))


def test_settings_above_the_root_count_where_it_has_none(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "pytest.ini").write_text(INI)
    root = tmp_path / "services" / "shop"
    root.mkdir(parents=True)
    (root / "pytest.ini").write_text("")

    found = settings_above(root)

    assert found is not None
    assert (found.path, found.asyncio_mode) == ("../../pytest.ini", "auto")
