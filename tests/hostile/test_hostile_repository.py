"""A repository that nobody trusts, through every command and form: what SECURITY.md promises."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bounds import PLANTED, READING, WRITING, may_be_read, may_be_written
from build import FIXTURE, ROWS, SECRET, build
from hostile_text import assert_inactive
from runs import Run, run


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    top = tmp_path_factory.mktemp("hostile")
    place = build(top)
    before = snapshot(place.home)
    watched = run(place, (*READING, *WRITING), top / "watched")
    assert snapshot(place.home) == before, "the home of the reader was changed"
    yield watched
    shutil.rmtree(top)


def snapshot(directory: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return of each path its mode, its size, when it was changed, and what it holds."""
    found = {}
    for path in (directory, *directory.rglob("*")):
        info = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(info.st_mode) else b""
        size = info.st_size if content else 0
        found[str(path.relative_to(directory))] = (info.st_mode, size, info.st_mtime_ns, content)
    return found


# ------------------------------------------------------------------------- what must hold of each
@pytest.mark.slow
def test_every_command_ends_as_documented(hostile: Run) -> None:
    codes = {str(command): command.code for command in hostile.commands}

    assert {words: code for words, code in codes.items() if code not in {0, 1, 2}} == {}


@pytest.mark.slow
def test_no_command_fails_inside(hostile: Run) -> None:
    said = {
        str(command): line
        for command in hostile.commands
        for line in (command.out + command.err).split(b"\n")
        if b"internal error" in line or b"Traceback (most recent call last)" in line
    }

    assert said == {}


@pytest.mark.slow
def test_nothing_that_is_printed_acts(hostile: Run) -> None:
    for command in hostile.commands:
        assert_inactive(command.err)
        is_patch = b"diff --git" in command.out  # for programs: the rest are the bytes of files
        assert_inactive(headers(command.out) if is_patch else command.out)


def headers(patch: bytes) -> bytes:
    """Return what a patch says of itself."""
    mine = (b"diff ", b"--- ", b"+++ ", b"@@ ", b"index ", b"new file ")
    return b"\n".join(line for line in patch.split(b"\n") if line.startswith(mine))


@pytest.mark.slow
def test_nothing_is_printed_from_outside(hostile: Run) -> None:
    printed = b"".join(command.out + command.err for command in hostile.commands)

    assert SECRET.encode() not in printed
    assert b"root:x:" not in printed


@pytest.mark.slow
def test_no_project_is_lost_to_another(hostile: Run) -> None:
    """What each project says stands in the report, whatever the others hold."""
    (full,) = (one for one in hostile.commands if one.words == ("check", "-j1"))
    clean = ("app.py:", "s10_modes/app.py:", "s07_modules/app.py:", "s05_names/app.py:")

    shown = full.out.decode()
    for place in clean:
        assert f"--> {place}" in shown, place


@pytest.mark.slow
def test_sites_are_not_hidden_by_what_the_target_remembers(hostile: Run) -> None:
    (asked,) = (one for one in hostile.commands if one.words == tuple(PLANTED))

    assert asked.code == 1
    assert "--> s03_planted_cache/app.py:" in asked.out.decode()


@pytest.mark.slow
def test_no_project_says_where_results_are_kept(hostile: Run) -> None:
    (full,) = (one for one in hostile.commands if one.words == ("check", "-j1"))

    assert "s03_planted_cache/awaken.toml:1: 'cache-dir' is not allowed" in full.err.decode()


# ------------------------------------------------------------------------ what it does meanwhile
@pytest.mark.slow
def test_no_program_of_the_target_runs(hostile: Run) -> None:
    assert not hostile.place.ran.exists(), hostile.place.ran.read_text()


@pytest.mark.slow
def test_the_only_program_is_git_with_safe_options(hostile: Run) -> None:
    programs = {"git": 0, "ruff": 0, "black": 0}  # the formatter is the reader's own
    for kind, program, arguments, _, environment in hostile.started:
        path = Path(program.strip("'"))
        programs[path.name] += kind == "subprocess.Popen"
        assert path.is_absolute()
        assert not path.is_relative_to(hostile.place.top)
        if path.name == "git":
            assert "safe.bareRepository" in environment
            assert "core.fsmonitor=false" in arguments
            assert f"core.hooksPath={os.devnull}" in arguments

    assert sum(programs.values()) == len(hostile.started)
    assert programs["git"]


@pytest.mark.slow
def test_nothing_outside_is_read(hostile: Run) -> None:
    read = {one for one in hostile.heard if one.kind == "read"}

    assert sorted({one.path for one in read if not may_be_read(one, hostile.place)}) == []


@pytest.mark.slow
def test_nothing_outside_is_written(hostile: Run) -> None:
    done = {one for one in hostile.heard if one.kind != "read"}

    assert (
        sorted({(one.kind, one.path) for one in done if not may_be_written(one, hostile.place)})
        == []
    )


# ------------------------------------------------------------------------------ one row by itself
def test_modules_beside_the_program_are_not_imported(tmp_path: Path) -> None:
    place = build(tmp_path, ("S7",))
    root = place.target / "s07_modules"

    done = subprocess.run(
        [sys.executable, "-m", "awaken", "check", "-j1"],
        cwd=root,
        env={**place.environment(), "PATH": f"{root}/.venv/bin:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert not place.ran.exists()


@pytest.mark.slow
def test_an_apply_gives_no_file_more_than_it_had(tmp_path: Path) -> None:
    place = build(tmp_path, ("S10",))
    setuid = place.target / "s10_modes" / "setuid.py"

    before = setuid.read_bytes()
    applied = run(place, (["apply", "-j1", "--allow-dirty"],), tmp_path / "applied")
    after = setuid.read_bytes()
    undone = run(place, (["undo"],), tmp_path / "undone")

    assert [command.code for command in (*applied.commands, *undone.commands)] == [0, 0]
    assert after != before == setuid.read_bytes()
    assert stat.S_IMODE(setuid.stat().st_mode) == 0o755


def test_every_row_is_in_the_repository() -> None:
    prefixes = {path.name.split("_")[0] for path in FIXTURE.iterdir() if path.is_dir()}

    assert {f"S{int(prefix[1:])}" for prefix in prefixes} == set(ROWS)
