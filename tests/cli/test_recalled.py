"""A run that is answered from memory prints what a run prints that knows, and skips, nothing.

The oracle has no cache, reads its line with Typer, asks the classes of rules, and prints by Rich.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest

from awaken import cli
from awaken.cli import main, plain_line
from awaken.engine import run as planning
from awaken.engine.planning.rule_discovery import all_rules
from awaken.engine.remembering import result_places
from awaken.preview import show
from awaken.preview.console.console import make_console

APP = """\
import asyncio

from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import Session, declarative_base


class User(declarative_base()):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String)  # ##[group]é日本


def users(session: Session):
    return (
        session.query(User)
        .filter(User.name == "Zoë\\t")
        .all()
    )


def anything(session, what):
    return session.query(what).all()


async def both(a, b):
\tawait asyncio.gather(a.x(), b.y())
"""
SETTINGS = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["sqlalchemy>=2.0"]\n'
IGNORING = "[[tool.awaken.overrides]]\npaths = ['more/*']\nignore = ['gather-to-taskgroup']\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = tmp_path / "shop"
    (project / "more").mkdir(parents=True)
    (project / "pyproject.toml").write_text(SETTINGS + IGNORING)
    (project / "app.py").write_text(APP)
    (project / "more" / "again.py").write_bytes(APP.replace("\n", "\r\n").encode())
    (project / "bad.py").write_text("def (:\n")
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(project)
    yield project
    result_places.own_digest.cache_clear()


@pytest.fixture
def printed(capfdbinary):
    """Return a function that runs awaken: exit code, stdout and stderr without the seconds."""

    def run(*words):
        capfdbinary.readouterr()
        code = main(words)
        streams = capfdbinary.readouterr()
        times = rb'(?<=read in )[\d.]+(?= s)|(?<="seconds":)\s*[\d.]+'
        return code, *(re.sub(times, b"-", one) for one in streams)

    return run


def by_the_oracle(printed, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_line, "run_plainly", lambda _: None)
        patch.setattr(show, "console_on", make_console)
        return printed(*words, "--no-cache")


def recalled(printed, words):
    """Return what the second of two runs prints: it must neither plan nor ask a class."""
    all_rules.cache_clear()
    printed(*words)
    all_rules.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "plan_root", None)
        patch.setattr(cli, "_run_by_typer", None)
        found = printed(*words)
    assert not all_rules.cache_info().currsize
    return found


FORMATS = [
    "full",
    "concise",
    "grouped",
    "json",
    "json-lines",
    "patch",
    "html",
    "markdown",
    "github",
]
WORDS = [
    *([f"--output-format={one}"] for one in FORMATS),
    ["--statistics"],
    ["--statistics", "-q"],
    ["-v"],
    ["--exit-zero", "--color", "never"],
    ["--color=always"],
    ["--strict", "--ignore", "sqlalchemy"],
    ["--config", "ignore=['gather-to-taskgroup']", "."],
    ["--config", "rules.gather-to-taskgroup.exceptions='plain'"],
    ["--unsafe-fixes", "more"],
    ["--select", "ALL", "--target-version", "3.12"],
    ["--blockers"],
    ["--isolated", "-j", "1", "app.py", "more/again.py"],
    ["--exclude=more", "--target", "sqlalchemy=2.0"],
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
@pytest.mark.sampled(4)
def test_what_is_recalled_is_what_a_full_run_prints(project, printed, words):
    del project
    found = recalled(printed, ["check", *words])

    assert found == by_the_oracle(printed, ["check", *words])
    assert found[1] or found[2]


@pytest.mark.parametrize("words", [[], ["--side-by-side", "--output-format", "full"], ["-U", "1"]])
def test_a_recalled_diff_is_that_of_a_full_run(project, printed, words):
    del project

    assert recalled(printed, ["diff", *words]) == by_the_oracle(printed, ["diff", *words])


@pytest.mark.parametrize(
    "words",
    [
        ["apply", "--diff", "app.py"],
        ["migrate", "async-sessions", "--dry-run"],
        ["migrate", "--dry-run", "--to=2", "async-sessions", "more", "app.py"],
    ],
    ids=" ".join,
)
def test_a_plain_line_that_rewrites_is_read_without_typer(project, printed, monkeypatch, words):
    del project
    expected = by_the_oracle(printed, words)
    monkeypatch.setattr(cli, "_run_by_typer", None)

    assert printed(*words, "--no-cache") == expected


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "COLUMNS"])
def test_the_environment_has_its_say(project, printed, monkeypatch, name):
    del project
    monkeypatch.setenv(name, "40")

    assert recalled(printed, ["check"]) == by_the_oracle(printed, ["check"])


def test_paths_are_those_of_the_directory_in_which_the_user_stands(project, printed, monkeypatch):
    monkeypatch.chdir(project / "more")

    assert recalled(printed, ["check", ".."]) == by_the_oracle(printed, ["check", ".."])


@pytest.mark.parametrize(
    "words",
    [
        ["check", "--fix"],
        ["check", "--select"],
        ["check", "--select", ""],
        ["check", "--select", ","],
        ["check", "--select", "query-to-selct"],
        ["check", "--output-format", "fulll"],
        ["check", "--jobs", "0"],
        ["check", "-j", "many"],
        ["check", "--quiet=1"],
        ["check", "--no-published", "--published"],
        ["check", "-qv"],
        ["check", "--", "app.py"],
        ["check", "nowhere"],
        ["check", "--target", "sqlalchemy"],
        ["check", "--target-version", "four"],
        ["check", "--libcst-arg", "a=b"],
        ["check", "--stdin-filename", "app.py"],
        ["check", "--output-file", "nowhere/file"],
        ["check", "-h"],
        ["diff", "--strict"],
        ["apply", "--diff", "--strict"],
        ["migrate"],
        ["migrate", "--dry-run"],
        ["migrate", "async-session"],
        ["migrate", "async-sessions", "--from", "3", "--to", "2"],
        ["migrate", "async-sessions", "--dry-run", "--", "pytest"],
        ["chekc"],
    ],
    ids=" ".join,
)
@pytest.mark.sampled(4)
def test_a_line_that_is_not_plain_is_typers(project, printed, words):
    del project
    found = printed(*words, "--no-cache")

    assert found == by_the_oracle(printed, words)


def test_an_edit_of_the_same_size_within_a_second_is_seen(project, printed):
    recalled(printed, ["check"])
    before = (project / "app.py").stat()
    (project / "app.py").write_text(APP.replace(".query(User)", ".quory(User)"))
    os.utime(project / "app.py", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert printed("check") == by_the_oracle(printed, ["check"])


def test_a_file_put_in_the_place_of_another_with_its_time_is_seen(project, printed):
    recalled(printed, ["check"])
    (project / "new.py").write_text(APP.replace("def users", "def usurs"))
    shutil.copystat(project / "app.py", project / "new.py")
    (project / "new.py").replace(project / "app.py")

    assert printed("check") == by_the_oracle(printed, ["check"])


def test_a_clock_that_is_set_back_recalls_nothing_wrong(project, printed, monkeypatch):
    recalled(printed, ["check"])
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    monkeypatch.setattr(time, "time", lambda: 1.0)
    (project / "app.py").write_text(APP.replace("def users", "def usurs"))
    os.utime(project / "app.py", (1, 1))

    assert printed("check") == by_the_oracle(printed, ["check"])


def test_an_ignored_file_counts_from_when_git_tracks_it(project, printed):
    git = ["git", "-C", str(project)]
    subprocess.run([*git, "init", "-q"], check=True)
    (project / ".gitignore").write_text("more/\n")
    ignored = recalled(printed, ["check"])
    subprocess.run([*git, "add", "-f", "more/again.py"], check=True)

    tracked = printed("check")

    assert tracked == by_the_oracle(printed, ["check"])
    assert b"again.py" not in ignored[1]
    assert b"again.py" in tracked[1]
    subprocess.run([*git, "rm", "-q", "--cached", "more/again.py"], check=True)
    assert recalled(printed, ["check"]) == ignored


def _shards(directory):
    return [path for path in directory.rglob("*.msgpack") if path.is_file()]


def _torn(shard):
    shard.write_bytes(shard.read_bytes()[:-7])


def _foreign(shard):
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(bytes(content))


def _emptied(shard):
    shard.write_bytes(b"")


def _link(shard):
    shard.rename(shard.with_name("elsewhere"))
    shard.symlink_to("elsewhere")


@pytest.mark.parametrize("harm", [_torn, _foreign, _emptied, _link])
def test_a_cache_that_came_to_harm_changes_no_answer(project, printed, tmp_path, harm):
    del project
    recalled(printed, ["check"])
    for shard in _shards(tmp_path / "cache"):
        harm(shard)
    all_rules.cache_clear()
    result_places.own_digest.cache_clear()

    assert printed("check") == by_the_oracle(printed, ["check"])


@pytest.mark.parametrize("place", ["cache", "state"])
def test_without_a_place_of_its_own_a_run_is_only_slower(project, printed, tmp_path, place):
    del project
    recalled(printed, ["check"])
    shutil.rmtree(tmp_path / place)
    (tmp_path / place).write_text("")
    all_rules.cache_clear()
    result_places.own_digest.cache_clear()
    oracle = by_the_oracle(printed, ["check"])
    if place == "state":  # which also says whether an apply was killed
        (tmp_path / place).unlink()

    assert printed("check") == oracle


def test_the_key_of_another_user_opens_nothing(project, printed, tmp_path):
    del project
    recalled(printed, ["check"])
    (tmp_path / "state" / "cache-key").write_bytes(b"k" * 32)
    all_rules.cache_clear()
    result_places.own_digest.cache_clear()

    assert printed("check") == by_the_oracle(printed, ["check"])
