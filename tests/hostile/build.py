"""Builds the hostile repository: what ``fixtures/hostile`` holds, and what cannot be committed.

``build`` makes a clone as an attacker would have it, and a home directory of its reader beside it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from msgspec import Struct

FIXTURE = Path(__file__).parents[2] / "fixtures" / "hostile" / "repository"
ROWS = ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S10")
SECRET = "CANARY-f1b0"
"""Stands in every file of the reader's home; no output may hold it."""
LONG_AGO = 1_000_000_000
"""2001: old enough for any cache to be cleaned up."""
NAMES = (
    b"::error::x.py",
    b"##[error]x.py",
    b"##vso[x]y.py",
    b"new\nline.py",
    b"\n::stop-commands::x.py",
    b"\x1b[2J.py",
    b"\x1b]0;x\x07.py",
    "\u202egnp.py".encode(),
    "\u200bzero\u2028.py".encode(),
    "c1\u009b8m.py".encode(),
    b"not-utf-8-\x9b8m.py",
    b"-o.py",
    b"[red]x[link=y].py",
    b"`a|b`<b>,%0A.py",
)

_GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
_PLANT = """
import sys
from awaken import api
from awaken.cli import main
from awaken.contract import Plan
for rule in api.rules():
    type(rule).plan = lambda self, project, constraints: Plan((), ())
sys.exit(main(["check", "-j1", "--isolated", "--cache-dir", "planted", "."]))
"""


class Place(Struct, frozen=True):
    """Where everything is: the ``target`` to be read, the ``home`` of its reader, their state.

    ``ran`` is written by every program that the target names.
    """

    top: Path

    @property
    def target(self) -> Path:
        return self.top / "target"

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def ran(self) -> Path:
        return self.top / "ran"

    def environment(self) -> dict[str, str]:
        """Return the environment of the reader: directories of their own, and no colours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return {
            **kept,
            "HOME": str(self.home),
            "AWAKEN_STATE_DIR": str(self.top / "state"),
            "XDG_STATE_HOME": str(self.top / "state-home"),
            "XDG_CACHE_HOME": str(self.top / "cache"),
            "XDG_CONFIG_HOME": str(self.top / "config"),
            "TMPDIR": str(self.top / "scratch"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def build(top: Path, rows: Collection[str] = ROWS) -> Place:
    """Build the repository with what belongs to ``rows``, and return where it is."""
    place = Place(top)
    _home(place.home)
    (top / "scratch").mkdir()
    shutil.copytree(FIXTURE, place.target, symlinks=True)
    for directory in place.target.iterdir():
        if directory.is_dir() and f"S{int(directory.name[1:3])}" not in rows:
            shutil.rmtree(directory)
    _commit(place)
    for row, make in _MAKERS.items():
        if row in rows:
            make(place)
    if "S2" in rows:
        _own_configuration(place)
    return place


def _home(home: Path) -> None:
    """Make the home of the reader: keys, notes, and directories that a cache could look like."""
    for name in ("notes.txt", ".ssh/id_rsa", "secret.py", "old/project/version/00.facts"):
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{SECRET}\n")
        os.utime(file, (LONG_AGO, LONG_AGO))
    for name in ("old/empty/empty", "old/project/empty"):
        (home / name).mkdir(parents=True)
        os.utime(home / name, (LONG_AGO, LONG_AGO))


def _attack(place: Place) -> str:
    """Return the path of a program in the target; ``place.ran`` is there once it ran."""
    program = place.target / "attack"
    program.write_text(f"#!/bin/sh\necho ran >> '{place.ran}'\ncat\n")
    program.chmod(0o755)
    return str(program)


def _caches(place: Place) -> None:
    cache = place.target / "s01_cache_behind_a_link" / "c"
    cache.mkdir()
    (cache / "facts").symlink_to("../../../home/old")


def _bare_repository(place: Place) -> None:
    root = place.target / "s02_bare_repository"
    git(place, "init", "--quiet", "--bare", str(root / "new"))
    for name in ("HEAD", "objects", "refs"):
        (root / "new" / name).rename(root / name)
    shutil.rmtree(root / "new")
    (root / "refs" / "keep").write_text("")
    (root / "objects" / "keep").write_text("")
    (root / "config").write_text(_configuration(_attack(place)) + "\tworktree = .\n")


def _configuration(program: str) -> str:
    return (
        f'[filter "x"]\n\tclean = {program}\n\tsmudge = {program}\n\tprocess = {program}\n'
        f'\trequired = true\n[diff "x"]\n\ttextconv = {program}\n\tcommand = {program}\n'
        f"[diff]\n\texternal = {program}\n[pager]\n\tdiff = {program}\n\tstatus = {program}\n"
        f"[gpg]\n\tprogram = {program}\n[credential]\n\thelper = {program}\n"
        f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tfsmonitor = {program}\n"
        f"\tpager = {program}\n\teditor = {program}\n\tsshCommand = {program}\n"
        f"\thooksPath = {Path(program).parent}\n"
    )


def _own_configuration(place: Place) -> None:
    """Make the git directory of the target itself hostile, as an unpacked archive has it."""
    with (place.target / ".git" / "config").open("a") as file:
        file.write(_configuration(_attack(place)))
    (place.target / ".git" / "info").mkdir(exist_ok=True)
    (place.target / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    # It differs from the index by its time alone, so git has to look inside, through the filter.
    os.utime(place.target / "app.py", (LONG_AGO, LONG_AGO))


def _planted_cache(place: Place) -> None:
    """Have an awaken that finds nothing write what it came to, with a state of its own."""
    root = place.target / "s03_planted_cache"
    theirs = {"AWAKEN_STATE_DIR": str(place.top / "attacker"), "HOME": str(place.top / "attacker")}
    subprocess.run(
        [sys.executable, "-c", _PLANT],
        cwd=root,
        env={**place.environment(), **theirs, "XDG_CACHE_HOME": str(place.top / "attacker")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    if not any(path.is_file() for path in (root / "planted").rglob("*/*")):
        raise AssertionError("no cache was planted")


def _devices(place: Place) -> None:
    top = place.target
    link = top / "s04_link_to_a_device"
    for name in ("requirements.txt", "uv.lock", "setup.cfg", ".gitignore", "tox.ini"):
        (link / name).symlink_to("/dev/zero")
    # No .gitignore: git itself would wait for somebody to write into it.
    for name in ("requirements.txt", "poetry.lock", "pytest.ini", ".flake8"):
        os.mkfifo(top / "s04_pipe" / name)
    os.mkfifo(top / "s04_settings_are_a_pipe" / "awaken.toml")
    os.mkfifo(top / "s04_pipe" / "source.py")
    for name in ("uv.lock", "requirements.txt", "setup.cfg"):
        with (top / "s04_twenty_gigabytes" / name).open("wb") as file:
            file.truncate(20 * 2**30)
    outside = top / "s04_source_outside"
    (outside / "secret.py").symlink_to("../../home/secret.py")
    (outside / "requirements.txt").symlink_to("../../home/notes.txt")
    (outside / "zero.py").symlink_to("/dev/zero")
    (outside / "home").symlink_to("../../home")


def _names(place: Place) -> None:
    root = place.target / "s05_names"
    text = (root / "app.py").read_bytes()
    for name in NAMES:
        (root / os.fsdecode(name)).write_bytes(text)
    acting = "# \x1b[2J \u202e \u2028 ::error::x ##[error]y\n::error::x\n"
    (root / "code.py").write_bytes(text + f"\n\ntext = '''\n{acting}'''\n".encode())


def _bad_metadata(place: Place) -> None:
    nested = place.target / "s06_nested_baseline" / "nested.json"
    nested.write_text('{"version": 1, "sites": ' + "[" * 100_000 + "]" * 100_000 + "}")
    root = place.target / "s06_link_into_proc"
    for name in ("requirements.txt", "setup.cfg"):
        (root / name).symlink_to("/proc/self/mem")
    (root / "memory.py").symlink_to("/proc/self/mem")
    (root / "poetry.lock").symlink_to("poetry.lock")


def _modules(place: Place) -> None:
    root = place.target / "s07_modules"
    planted = f"open({str(place.ran)!r}, 'a').write('ran')\n"
    for name in ("libcst", "msgspec", "typer", "rich", "tomllib", "sitecustomize", "encodings"):
        (root / f"{name}.py").write_text(planted)
    (root / "conftest.py").write_text(planted)
    programs = root / ".venv" / "bin"
    programs.mkdir(parents=True)
    attack = Path(_attack(place))
    for name in ("black", "ruff", "git", "less", "python"):
        shutil.copy(attack, programs / name)
    (root / "setup.cfg").write_text("[tool:pytest]\naddopts = -p attack\n")
    (root / "ruff.toml").write_text("line-length = 88\n")


def _odd_files(place: Place) -> None:
    root = place.target / "s10_modes"
    app = root / "app.py"
    text = app.read_bytes()
    (root / "returns.py").write_bytes(text.replace(b"\n", b"\r"))
    bidi = "\n\n# \u202e\u2066 \x85 \x9b8m\nx = '\u202e'\n"
    (root / "bidi.py").write_bytes(text + bidi.encode())
    (root / "setuid.py").write_bytes(text)
    (root / "setuid.py").chmod(0o6755)


_MAKERS: dict[str, Callable[[Place], None]] = {
    "S1": _caches,
    "S2": _bare_repository,
    "S3": _planted_cache,
    "S4": _devices,
    "S5": _names,
    "S6": _bad_metadata,
    "S7": _modules,
    "S10": _odd_files,
}


def _commit(place: Place) -> None:
    git(place, "init", "--quiet", "--initial-branch", "main", str(place.target))
    (place.target / ".gitignore").write_text("uv.lock\nsetup.cfg\nattack\nnested.json\n")
    git(place, "-C", str(place.target), "add", "--", ".gitignore", "*.py", "*.toml")
    git(place, "-C", str(place.target), "commit", "--quiet", "--message", "Say hello")


def git(place: Place, *arguments: str) -> str:
    """Run git as the attacker does; return what it prints."""
    done = subprocess.run(
        [*_GIT, *arguments], env=place.environment(), stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout
