"""Where settings are looked for, and which file is used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from optional_rules import PROJECT, resolved, write

from awaken.contract import UserError
from awaken.settings.selection import IN_PREVIEW


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """Keep the walk upward inside the test's own directory, and stand in the repository."""
    monkeypatch.setenv("HOME", str(tmp_path))
    repository = tmp_path / "repository"
    (repository / "app" / ".keep").mkdir(parents=True)
    (repository / ".git").mkdir()
    monkeypatch.chdir(repository)
    return repository


def unsafe(value):
    return f"unsafe-fixes = {str(value).lower()}\n"


def table(value):
    return f"{PROJECT}[tool.awaken]\n{unsafe(value)}"


@pytest.mark.parametrize(
    ("files", "used"),
    [
        ({"app/pyproject.toml": table(True)}, "pyproject.toml"),
        ({"app/awaken.toml": unsafe(True)}, "awaken.toml"),
        ({"app/.awaken.toml": unsafe(True)}, ".awaken.toml"),
        ({"app/awaken.toml": unsafe(True), "app/pyproject.toml": table(False)}, "awaken.toml"),
        ({"app/.awaken.toml": unsafe(True), "app/awaken.toml": unsafe(False)}, ".awaken.toml"),
        ({"awaken.toml": unsafe(True), "app/pyproject.toml": PROJECT}, "../awaken.toml"),
        ({"pyproject.toml": table(True), "app/pyproject.toml": PROJECT}, "../pyproject.toml"),
        ({"app/awaken.toml": unsafe(True), "awaken.toml": unsafe(False)}, "awaken.toml"),
        ({"app/pyproject.toml": table(True), "awaken.toml": unsafe(False)}, "pyproject.toml"),
    ],
)
def test_the_nearest_file_that_says_something_of_awaken_is_used(repository, files, used):
    write(repository, files)

    found = resolved(repository / "app")

    assert found.unsafe_fixes
    assert found.origins == {"unsafe-fixes": used}
    assert found.files == (Path(os.path.normpath(repository / "app" / used)),)


def test_without_a_file_the_defaults_hold(repository):
    write(
        repository, {"pyproject.toml": PROJECT, "app/pyproject.toml": "[tool.awakening]\nx = 1\n"}
    )

    found = resolved(repository / "app")

    assert (found.files, found.origins, found.unsafe_fixes) == ((), {}, False)
    assert found.rules == ("rename-old", "rename-risky")
    assert found.rules_off == {"rename-raw": IN_PREVIEW}


def test_nothing_above_the_repository_counts(repository):
    write(repository.parent, {"awaken.toml": unsafe(True)})
    inner = write(repository / "vendored", {".git": "gitdir: elsewhere"})
    write(repository, {"awaken.toml": unsafe(True)})

    assert resolved(inner).files == ()
    assert resolved(repository).files == (repository / "awaken.toml",)


def test_without_a_repository_the_search_ends_below_the_home_directory(repository):
    home = repository.parent
    loose = write(home / "loose/inner", {"a.py": ""})
    write(home, {"awaken.toml": unsafe(True)})

    assert resolved(loose).files == ()
    assert resolved(home).files == (home / "awaken.toml",)
    write(home, {"loose/awaken.toml": unsafe(True)})
    assert resolved(loose).files == (home / "loose/awaken.toml",)


def test_a_broken_manifest_without_a_word_of_awaken_is_no_matter_of_settings(repository):
    write(repository, {"app/pyproject.toml": "[project\n", "awaken.toml": unsafe(True)})

    assert resolved(repository / "app").unsafe_fixes


def test_what_is_no_regular_file_is_not_read(repository):
    os.mkfifo(repository / "app/awaken.toml")
    (repository / "app/.awaken.toml").mkdir()

    assert resolved(repository / "app").files == ()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_file_may_have_a_byte_order_mark_and_any_line_ends(repository, mark, newline):
    text = "# ä\n[tool.awaken]\nbaseline = 'grün.json'\n".encode().replace(b"\n", newline)
    write(repository, {"app/pyproject.toml": mark + text})

    assert resolved(repository / "app").baseline == repository / "app/grün.json"


def test_a_named_file_replaces_the_one_that_is_found(repository):
    write(repository, {"app/awaken.toml": unsafe(False) + "force-exclude = true\n"})
    write(repository, {"ci/strict.toml": f"{unsafe(True)}baseline = 'known.json'\n"})

    found = resolved(repository / "app", "ci/strict.toml")

    assert (found.unsafe_fixes, found.force_exclude) == (True, False)
    assert found.files == (repository / "ci/strict.toml",)
    assert found.baseline == repository / "ci/known.json"
    assert found.origins["unsafe-fixes"] == "--config ci/strict.toml"


def test_a_named_pyproject_means_its_table(repository):
    write(repository, {"ci/pyproject.toml": table(True)})

    assert resolved(repository / "app", "ci/pyproject.toml").unsafe_fixes


def test_isolated_reads_no_file_but_what_is_set_counts(repository):
    write(repository, {"app/awaken.toml": f"{unsafe(True)}nonsense = 1\n"})

    found = resolved(repository / "app", "force-exclude = true", isolated=True)

    assert (found.files, found.unsafe_fixes, found.force_exclude) == ((), False, True)


def test_isolated_and_a_file_contradict_each_other(repository):
    write(repository, {"ci.toml": unsafe(True)})

    with pytest.raises(UserError, match=r"--config ci\.toml: --isolated reads no files"):
        resolved(repository / "app", "ci.toml", isolated=True)


def test_only_one_file_can_be_named(repository):
    write(repository, {"a.toml": unsafe(True), "b.toml": unsafe(True)})

    with pytest.raises(UserError, match=r"a\.toml and --config b\.toml: only one settings file"):
        resolved(repository / "app", "a.toml", "b.toml")
