"""A repository that nobody trusts, through every command and form: what SECURITY.md promises."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from build import FIXTURE, NAMES, ROWS, SECRET, Place, build
from hostile_text import assert_inactive
from runs import Event, Run, run

import awaken
from awaken.preview.choices import Form

TEXTS = ("s05_baseline", "s05_names", "s05_setting", "s05_unknown_setting", "s05_versions")
"""The projects with hostile texts: the others would say the same in every form."""
SITE = "s05_names/code.py:15"
PLANTED = [
    *("check", "--isolated", "--cache-dir", "s03_planted_cache/planted"),
    *("s03_planted_cache", "-j1"),
]
FORKS = Path(__file__).parents[2] / "docs" / "pull-requests-from-forks.md"
RECIPE = tuple(
    # What the recipe writes stands in the job's own directory, beside the checkout.
    re.sub(r'"\$\w+(/[\w.]+)?"|awaken\.patch', "../state/from-the-job", command).split()[1:]
    for command in re.findall(r"^ +(?:- run: )?(awaken .+)$", FORKS.read_text(), re.MULTILINE)
)
"""The commands of the page for pull requests from forks, as they stand there."""
READING = (
    *RECIPE,
    *(["check", "--output-format", form, *TEXTS, "-j1"] for form in Form),
    *(["diff", "--output-format", form, *TEXTS, "-j1"] for form in Form),
    ["check", "-j1"],
    ["check", "-v", "-j1"],
    PLANTED,
    ["check", "--output-format", "json", "-j1"],
    ["check", "--statistics", "-j1"],
    ["check", "--show-settings"],
    ["check", "--show-files"],
    ["check", "--since", "HEAD", "-j1"],
    ["diff", "--side-by-side", "-j1"],
    ["diff", "--unsafe-fixes", "-j1"],
    ["doctor", "-v"],
    ["doctor", "--output-format", "json"],
    ["explain", SITE],
    ["explain", SITE, "--output-format", "json"],
    ["explain", f"s05_names/{os.fsdecode(NAMES[0])}:15"],
    ["explain", "s10_modes/bidi.py:18"],
    ["rules"],
    ["rules", "query-to-select"],
    ["apply", "--dry-run", "-j1"],
)
WRITING = (
    ["apply", "-j1"],
    ["apply", "--allow-dirty", "-v", "-j1"],
    ["undo", "--list", "-v"],
    ["undo", "-v"],
    ["check", "--write-baseline", "-j1"],
)
FIRST_WRITING = len(READING)
FORMATTERS = {"black", "ruff"}
"""The target may declare one; it is the reader's own that runs."""
SAFE_OPTIONS = "safe.bareRepository"
SYSTEM = ("/usr/", "/lib", "/etc/", "/opt/", "/sys/", "/bin/", "/run/", "/var/lib/", "/nix/")
PYTHON = tuple({sys.prefix, sys.base_prefix, str(Path(awaken.__file__).parents[1])})
HARMLESS = {"/dev/null", "/dev/urandom", "/dev/tty", "/", "/tmp", "/proc"}
TRIAL = re.compile(re.escape(tempfile.gettempdir()) + r"/\w{8}")
"""Python tries by such a file whether a directory can be used for others."""
TEMPORARY = str(Path(tempfile.gettempdir(), "awaken-"))
"""Directories of awaken's own, for git and the formatter, which go when these end."""


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
def test_every_command_ends_as_documented(hostile: Run) -> None:
    codes = {str(command): command.code for command in hostile.commands}

    assert {words: code for words, code in codes.items() if code not in {0, 1, 2}} == {}


def test_no_command_fails_inside(hostile: Run) -> None:
    said = {
        str(command): line
        for command in hostile.commands
        for line in (command.out + command.err).split(b"\n")
        if b"internal error" in line or b"Traceback" in line
    }

    assert said == {}


def test_nothing_that_is_printed_acts(hostile: Run) -> None:
    for command in hostile.commands:
        assert_inactive(command.err)
        is_patch = command.out.startswith(b"diff --git ")
        assert_inactive(headers(command.out) if is_patch else command.out)


def headers(patch: bytes) -> bytes:
    """Return what a patch says of itself; the rest are the bytes of files."""
    mine = (b"diff ", b"--- ", b"+++ ", b"@@ ", b"index ", b"new file ")
    return b"\n".join(line for line in patch.split(b"\n") if line.startswith(mine))


def test_nothing_is_printed_from_outside(hostile: Run) -> None:
    printed = b"".join(command.out + command.err for command in hostile.commands)

    assert SECRET.encode() not in printed
    assert b"root:x:" not in printed


def test_no_project_is_lost_to_another(hostile: Run) -> None:
    """What each project says stands in the report, whatever the others hold."""
    (full,) = (one for one in hostile.commands if one.words == ("check", "-j1"))
    clean = ("app.py:", "s10_modes/app.py:", "s07_modules/app.py:", "s05_names/app.py:")

    shown = full.out.decode()
    for place in clean:
        assert f"--> {place}" in shown, place


def test_sites_are_not_hidden_by_what_the_target_remembers(hostile: Run) -> None:
    (asked,) = (one for one in hostile.commands if one.words == tuple(PLANTED))

    assert asked.code == 1
    assert "--> s03_planted_cache/app.py:" in asked.out.decode()


def test_no_project_says_where_results_are_kept(hostile: Run) -> None:
    (full,) = (one for one in hostile.commands if one.words == ("check", "-j1"))

    assert "s03_planted_cache/awaken.toml:1: 'cache-dir' is not taken" in full.err.decode()


# ------------------------------------------------------------------------ what it does meanwhile
def test_no_program_of_the_target_runs(hostile: Run) -> None:
    assert not hostile.place.ran.exists(), hostile.place.ran.read_text()
    executed = {one.path for one in hostile.seen if one.kind.startswith("execve")}
    inside = {path for path in executed if path.startswith(str(hostile.place.top))}

    assert inside == set()


def test_the_only_program_is_git_with_safe_options(hostile: Run) -> None:
    started = [words for words in hostile.started if words[0] == "subprocess.Popen"]

    assert [words for words in hostile.started if words[0] != "subprocess.Popen"] == []
    assert started
    for _, program, arguments, _, environment in started:
        found = Path(program.strip("'"))
        assert not found.is_relative_to(hostile.place.top)
        assert found.name in {"git", *FORMATTERS}, program
        if found.name == "git":
            assert SAFE_OPTIONS in arguments + environment, arguments


def test_nothing_outside_is_read(hostile: Run) -> None:
    read = {one for one in hostile.events if one.kind == "read"}

    assert sorted({one.path for one in read if not may_be_read(one, hostile.place)}) == []


def test_nothing_outside_is_written(hostile: Run) -> None:
    done = {one for one in hostile.events if one.kind not in {"read", "execve"}}

    assert (
        sorted({(one.kind, one.path) for one in done if not may_be_written(one, hostile.place)})
        == []
    )


def may_be_read(event: Event, place: Place) -> bool:
    """Whether this is of the target, awaken's own, the interpreter's or the system's."""
    path = event.path
    if path.startswith(f"{place.top}/"):
        return not path.startswith(f"{place.home}/") or (
            path.startswith(f"{place.home}/.") and ".ssh" not in path
        )
    return (
        path in HARMLESS
        or path.startswith((*SYSTEM, *PYTHON, TEMPORARY, "/proc/self/fd"))
        or is_own_process(path)
        or str(place.top).startswith(path)
    )


def is_own_process(path: str) -> bool:
    """Whether ``path`` is what a process asks the system of itself, but not its memory."""
    return path.startswith("/proc/") and not path.endswith("/mem")


def may_be_written(event: Event, place: Place) -> bool:
    """Whether this is awaken's own, or in the target by a command that writes."""
    path = event.path
    own = tuple(f"{place.top}/{name}" for name in ("state", "state-home", "cache", "config"))
    named = f"{place.target}/s03_planted_cache/planted"  # by --cache-dir
    if path.startswith((*own, named, TEMPORARY)):
        return True
    if path.startswith(f"{place.target}/"):
        return event.command >= FIRST_WRITING
    return path in HARMLESS or TRIAL.fullmatch(path) is not None


def test_the_recipe_for_forks_is_run_as_it_stands(hostile: Run) -> None:
    ran = {command.words: command.code for command in hostile.commands}

    assert len(RECIPE) >= len(("check", "diff in markdown", "check in SARIF", "diff in the log"))
    assert {ran[tuple(words)] for words in RECIPE} == {2}, "projects that cannot be read are said"


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
