from __future__ import annotations

import os
import subprocess

import pytest
from git_repository import Repository

from awaken.engine import git


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "project")
    made.commit(a="a = 1\n")
    return made


def test_it_runs_no_program_that_the_repository_names(repository, tmp_path):
    witness, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 >> {witness}\n")
    program.chmod(0o755)
    hook = tmp_path / "hooks" / "post-index-change"
    hook.parent.mkdir()
    hook.symlink_to(program)
    repository("config", "core.fsmonitor", str(program))
    repository("config", "core.hooksPath", str(hook.parent))
    repository("config", "core.pager", str(program))
    repository("config", "pager.status", "true")
    os.utime(repository.path / "a.py", (0, 0))  # what the index knows of it is out of date

    for words in (["status", "--porcelain"], ["update-index", "--refresh"]):
        assert git.ask(repository.path, *words).returncode == 0
    assert not witness.exists()


def test_looking_leaves_the_index_alone(repository):
    index = repository.path / ".git" / "index"
    before = index.read_bytes()
    os.utime(repository.path / "a.py", (0, 0))

    assert git.ask(repository.path, "status", "--porcelain").stdout == b""
    assert index.read_bytes() == before


def test_the_repository_is_the_one_around_the_directory(repository, tmp_path, monkeypatch):
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")

    answer = git.ask(repository.path, "ls-files", "--full-name")

    assert answer.stdout == b"a.py\n"


def test_its_words_are_english_whatever_the_users_language_is(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")

    answer = git.ask(tmp_path, "rev-parse", "--show-toplevel")

    assert answer.returncode != 0
    assert b"not a git repository (or any" in answer.stderr


def test_it_does_not_wait_for_ever(repository):
    with pytest.raises(subprocess.TimeoutExpired):
        git.ask(repository.path, "status", seconds=0)
