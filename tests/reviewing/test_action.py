"""The steps of the action, run here as a runner runs them: its shell, its Python, its variables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_github import FakeGitHub, serving
from pull_request import LEGACY, PullRequest
from shapes import A

from awaken.cli import main

TOP = Path(__file__).parents[2]
AWAKEN = Path(sys.executable).with_name("awaken")


class Runner:
    """A job on a shallow clone of a pull request."""

    def __init__(self, directory, head, *, depth=1):
        self.pull = PullRequest(directory / "origin", {"old.py": A}, head)
        origin = self.pull.repository
        origin("config", "uploadpack.allowAnySHA1InWant", "true")
        self.base, self.head = origin("rev-parse", "base"), origin("rev-parse", "HEAD")
        self.checkout = directory / "checkout"
        url = f"file://{origin.path}"
        origin("clone", "--quiet", f"--depth={depth}", "--branch=main", url, str(self.checkout))
        self.temporary = directory / "runner"
        self.temporary.mkdir()
        for name in ("output", "summary"):
            (directory / name).touch()
        self.files = {name: directory / name for name in ("output", "summary")}
        self.github = FakeGitHub(head=self.head)
        self.github.shown_lines = self.pull.shown_lines()

    def step(self, script, *more, **variables):
        """Run one script of the action; return its exit code and all that it printed."""
        known = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temporary),
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_OUTPUT": str(self.files["output"]),
            "GITHUB_STEP_SUMMARY": str(self.files["summary"]),
            "GITHUB_ACTION_PATH": str(TOP),
            "GITHUB_REPOSITORY": "me/shop",
            "AWAKEN_PYTHON": sys.executable,
            "AWAKEN_BIN": str(AWAKEN),
            "AWAKEN_COMMAND": "diff",
            "AWAKEN_BASE": self.base,
            "AWAKEN_HEAD": self.head,
            "AWAKEN_NUMBER": "7",
            "AWAKEN_ARGUMENTS": "--select running-loop",
        }
        program = [sys.executable] if script.endswith(".py") else ["bash"]
        words = [str(self.temporary / "awaken")] if script.endswith(".py") else [*more]
        done = subprocess.run(
            [*program, str(TOP / "action" / script), *words],
            cwd=self.checkout,
            env={**known, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def outputs(self):
        lines = self.files["output"].read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def post(self):
        with serving(self.github) as address:
            return self.step("post.py", GITHUB_API_URL=address, AWAKEN_TOKEN="t")


@pytest.mark.slow
def test_a_shallow_clone_of_a_branch_is_reported_and_commented(tmp_path):
    runner = Runner(tmp_path, {"a.py": LEGACY.format("new")})

    code, out = runner.step("run.sh", AWAKEN_REVIEW="true")
    assert code == 0, out
    assert "::notice title=running-loop%3A safe,file=a.py,line=5" in out
    assert runner.outputs() == {
        "directory": str(runner.temporary / "awaken"),
        "program": str(AWAKEN),
        "sites": "1",  # the site in old.py is not one of this pull request
        "manual": "0",
    }
    assert "`awaken apply` rewrites 1 site" in runner.files["summary"].read_text()
    assert {path.name for path in (runner.temporary / "awaken").iterdir()} == {
        "awaken.html",
        "awaken.json",
        "awaken.sarif",
        "comment.md",
        "pull.json",
        "review.json",
        "summary.md",
    }

    for _ in range(2):
        assert runner.post()[0] == 0
    assert len(runner.github.own()) == len(runner.github.remarks) == 1


@pytest.mark.slow
def test_the_comment_links_to_the_artifact_when_that_is_there(tmp_path):
    runner = Runner(tmp_path, {"a.py": LEGACY.format("new")})
    runner.step("run.sh")
    file = runner.temporary / "awaken" / "comment.md"
    outputs, first = runner.outputs(), file.read_text()

    url = "https://github.com/me/shop/actions/runs/1/artifacts/2"
    code, out = runner.step("run.sh", "comment", AWAKEN_REPORT_URL=url)

    assert code == 0, out
    link = f"[The report]({url}) has every change.\n\n"
    assert link not in first
    assert file.read_text().replace(link, "") == first
    assert runner.outputs() == outputs


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x/)<b>", "https://x/[a", ""])
def test_an_address_that_is_none_of_a_page_is_refused(capsys, url):
    assert main(["diff", "--output-format", "github-comment", "--report-url", url]) == 2
    assert "it begins with https://" in capsys.readouterr().err


@pytest.mark.slow
def test_a_job_without_rights_has_its_summary(tmp_path):
    runner = Runner(tmp_path, {"a.py": LEGACY.format("new")})
    runner.github.can_write = False
    runner.step("run.sh")

    code, out = runner.post()

    assert (code, runner.github.comments) == (0, [])
    assert "The summary of the job has the report" in out
    assert runner.files["summary"].read_text() != ""


@pytest.mark.slow
def test_a_merge_commit_gets_no_suggestions(tmp_path):
    runner = Runner(tmp_path, {"a.py": LEGACY.format("new")})
    code, out = runner.step("run.sh", AWAKEN_REVIEW="true", AWAKEN_HEAD="c" * 40)
    assert code == 0
    assert "Suggestions need a checkout of the pull request's head" in out
    assert not (runner.temporary / "awaken" / "review.json").exists()


def test_a_base_that_is_gone_is_said(tmp_path):
    runner = Runner(tmp_path, {"a.py": LEGACY.format("new")})
    code, out = runner.step("run.sh", AWAKEN_BASE="d" * 40)
    assert code == 2
    assert "Give actions/checkout `fetch-depth: 0`" in out


def test_arguments_are_words_and_no_script(tmp_path):
    runner = Runner(tmp_path, {"a.py": LEGACY.format("new")})
    words = "--select $(touch${IFS}owned) ; touch owned"
    code, out = runner.step("run.sh", AWAKEN_ARGUMENTS=words)
    assert code == 2
    assert "Traceback" not in out
    assert not list(tmp_path.rglob("owned"))


@pytest.mark.parametrize(
    ("fail_on", "sites", "manual", "code"),
    [
        ("none", "3", "2", 0),
        ("sites", "0", "0", 0),
        ("sites", "3", "0", 1),
        ("manual", "3", "0", 0),
        ("manual", "3", "1", 1),
        ("always", "0", "0", 2),
    ],
)
def test_the_job_fails_for_what_fail_on_names(tmp_path, fail_on, sites, manual, code):
    runner = Runner(tmp_path, {})
    variables = {"AWAKEN_FAIL_ON": fail_on, "AWAKEN_SITES": sites, "AWAKEN_MANUAL": manual}
    assert runner.step("verdict.sh", **variables)[0] == code


def test_no_input_is_part_of_a_script():
    lines = (TOP / "action.yml").read_text().splitlines()
    scripts = [line for line in lines if line.strip().startswith(("run:", "- run:"))]
    assert len(scripts) == 4
    assert not [line for line in scripts if "${{" in line]


def test_the_page_names_every_input_but_the_python():
    page = (TOP / "docs" / "pull-requests.md").read_text()
    inputs = re.findall(
        r"^  ([\w-]+):$", (TOP / "action.yml").read_text().split("outputs:")[0], re.MULTILINE
    )
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == {*inputs} - {"python"}
