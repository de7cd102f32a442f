"""The text of a pull request, what hosts answer, and what must not be in any text."""

from __future__ import annotations

from subprocess import CompletedProcess

import pytest

from awaken import api
from awaken.batch.hosts.api_program import _pause
from awaken.batch.manifest.manifest_file import read_manifest
from awaken.batch.publishing.publishing import marker_of, request_text
from awaken.batch.state.records import Kind, State
from awaken.batch.working import child_environment
from awaken.batch.working.child_environment import (
    environment_without_secrets,
    secrets_of,
    without_secrets,
)
from awaken.batch.working.cloning import cause_of, failure_of
from awaken.batch.working.repository_work import without_held_secrets
from awaken.batch.working.task_data import Outcome, Summary

LONGEST = 65_536


@pytest.fixture
def manifest(tmp_path):
    text = '[campaign]\nname = "up"\nbranch = "b"\ntitle = "Up @all"\nwhy = "Because of #1."\n'
    (tmp_path / "awaken-batch.toml").write_text(text)
    (tmp_path / "repos.txt").write_text("o/a\n")
    return read_manifest(tmp_path, api.rules())


def summary(manual=1, unsafe=1):
    return Summary(
        rules=(("query-to-select", "3 safe"),),
        unsafe=tuple((f"clause {n} `x` @me", 2) for n in range(unsafe)),
        manual=tuple((f"app.py:{n}", "why " + "x" * 200) for n in range(manual)),
        tests=("before: 3 passed", "not exercised: 1 site (app.py:3)"),
        again="awaken apply --select query-to-select",
        version="1",
        rewritten=3,
        files=("app.py",),
    )


def test_the_text_has_every_section_and_calls_nobody(manifest):
    text = request_text(manifest, manifest.entries[0], summary(), LONGEST)

    for part in (
        "3 sites in 1 file",
        "### Rules",
        "### What may change",
        "### Tests",
        "(2 places)",
    ):
        assert part in text
    for part in ("- [ ] `app.py:0`", "awaken apply --select query-to-select", ".no-awaken-batch"):
        assert part in text
    assert text.rstrip().endswith(marker_of(manifest, manifest.entries[0]))
    assert "@all" not in text
    assert "@me" not in text


@pytest.mark.parametrize(("manual", "unsafe"), [(1000, 1), (1, 3000), (1000, 3000)])
def test_a_text_that_is_too_long_loses_whole_sections(manifest, manual, unsafe):
    text = request_text(manifest, manifest.entries[0], summary(manual, unsafe), LONGEST)

    assert len(text.encode()) <= LONGEST
    assert marker_of(manifest, manifest.entries[0]) in text
    assert "Left out, because the text was too long: sites to rewrite by hand" in text
    assert "### Left to people" not in text
    assert ("### What may change" in text) is (unsafe == 1)
    assert "### Rules" in text


@pytest.mark.parametrize("longest", [10_000, 300, 150])
def test_a_text_fits_and_keeps_its_marker(manifest, longest):
    text = request_text(manifest, manifest.entries[0], summary(500, 500), longest)
    assert len(text.encode()) <= longest
    assert marker_of(manifest, manifest.entries[0]) in text


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"retry-after": "7"}, "", 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "", 1),
        ({}, "You have exceeded a secondary rate limit", 60),
        ({}, "was submitted too quickly", 60),
        ({}, "Resource not accessible", None),
    ],
)
def test_a_pause_is_what_the_server_says(headers, said, seconds):
    assert _pause(headers, said) == seconds


def test_no_secret_is_left_in_a_text():
    secrets = secrets_of({"MY_TOKEN": "tokentoken", "PATH": "/usr/bin", "AUTHOR": "Ada Lovelace"})
    assert secrets == ("tokentoken",)
    text = "x tokentoken https://me:pass@h.example/o ghp_0123456789abcdefghij"
    text += " glpat-0123456789abcdefghij"
    hidden = without_secrets(text, secrets)
    assert not any(word in hidden for word in ("tokentoken", "me:pass", "ghp_0", "glpat-0"))


def test_the_environment_of_tests_has_what_is_named_and_no_more(tmp_path, monkeypatch):
    for name in (
        "GH_TOKEN",
        "SSH_AUTH_SOCK",
        "GIT_ASKPASS",
        "AWS_SECRET_ACCESS_KEY",
        "DATABASE_URL",
    ):
        monkeypatch.setenv(name, "value-of-it")
    environment = environment_without_secrets(tmp_path, tmp_path, tmp_path, ["DATABASE_URL"])

    assert environment["DATABASE_URL"] == "value-of-it"
    assert [name for name, text in environment.items() if text == "value-of-it"] == ["DATABASE_URL"]
    assert environment["HOME"] == str(tmp_path)
    assert environment["GIT_CONFIG_GLOBAL"] == "/dev/null"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: repository 'https://github.com/o/a.git/' not found", Kind.GONE),
        ("ssh: Could not resolve hostname github.com: Temporary failure", Kind.NETWORK),
        ("error: RPC failed; HTTP 502", Kind.NETWORK),
        ("fatal: write error: No space left on device", Kind.DISK),
        ("fatal: couldn't find remote ref dev", Kind.GONE),
        ("fatal: pack: File too large", Kind.SIZE),
        ("fatal: something new", Kind.GIT),
    ],
)
def test_a_failure_of_git_has_its_kind(said, kind):
    assert failure_of(CompletedProcess((), 128, b"", said.encode())).kind is kind


def test_failures_of_one_cause_are_one_group():
    messages = [f"repository 'https://github.com/o/{name}.git/' not found" for name in "ab"]
    assert len(set(map(cause_of, messages))) == 1


def test_an_outcome_that_holds_a_secret_is_refused_and_nothing_of_it_is_kept(monkeypatch):
    monkeypatch.setattr(child_environment, "_own_secrets", lambda: ("tokentoken",))
    files = {"changes.patch": b"+ key = 'tokentoken'\n"}
    outcome = Outcome(id="a", state=State.CHANGED, commit="c", patch="p", files=files)
    refused = without_held_secrets(outcome)

    assert (refused.state, refused.files, refused.commit) == (State.REFUSED, {}, "")
    assert "tokentoken" not in refused.message
    harmless = Outcome(id="a", state=State.CHANGED, files={"changes.patch": b"+ x\n"})
    assert without_held_secrets(harmless) is harmless
