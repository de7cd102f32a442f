"""Try the hooks with pre-commit itself: what users of `.pre-commit-hooks.yaml` will see.

The hooks are taken from a clone of this repository at a commit (HEAD, or the one that is given),
and run in a new repository that holds the bookshop. Prints every command with its output as
Markdown; ends with 1 if something is not as docs/pre-commit.md says. Usage:

    uv run --no-project --with pre-commit python benchmarks/external_checks/pre_commit.py [COMMIT]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parents[2]
BOOKSHOP = HERE / "examples" / "bookshop"
CONFIG = """\
repos:
- repo: {repo}
  rev: {rev}
  hooks:
  - id: {hook}
    args: [{args}]
"""
LEGACY = """\
from sqlalchemy.orm import Session

from bookshop.models import Book


def cheapest(session: Session) -> Book | None:
    return session.query(Book).order_by(Book.price).first()
"""


class Done(NamedTuple):
    """What a command came to."""

    code: int
    output: str


class Trial:
    """A repository with the bookshop, and the expectations that were not met."""

    def __init__(self, work: Path, commit: str) -> None:
        self.shop = work / "shop"
        self.hooks = work / "awaken"
        self.work = work
        self.wrong: list[str] = []
        self.environment = {
            **os.environ,
            "PRE_COMMIT_HOME": str(work / "pre-commit"),
            "AWAKEN_STATE_DIR": str(work / "state"),
            "XDG_CACHE_HOME": str(work / "cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }
        self.quiet("git", "clone", "-q", str(HERE), str(self.hooks), cwd=work)
        self.quiet("git", "checkout", "-q", commit, cwd=self.hooks)
        self.rev = self.quiet("git", "rev-parse", "HEAD", cwd=self.hooks).strip()
        shutil.copytree(
            BOOKSHOP, self.shop, ignore=shutil.ignore_patterns("__pycache__", ".*", "uv.lock")
        )
        self.quiet("git", "init", "-q", "-b", "main")
        self.commit("the bookshop")
        self.start = self.quiet("git", "rev-parse", "HEAD").strip()

    def quiet(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command that has to work; return what it printed."""
        return subprocess.run(
            command,
            cwd=cwd or self.shop,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def commit(self, message: str) -> None:
        """Commit everything, without hooks."""
        self.quiet("git", "add", "-A")
        self.quiet("git", "commit", "-q", "--no-verify", "-m", message)

    def use(self, hook: str, *args: str) -> None:
        """Let the repository's configuration name one hook, and commit it."""
        text = CONFIG.format(repo=self.hooks, rev=self.rev, hook=hook, args=", ".join(args))
        (self.shop / ".pre-commit-config.yaml").write_text(text)
        self.quiet("git", "add", ".pre-commit-config.yaml")
        self.quiet("git", "commit", "-q", "--no-verify", "--allow-empty", "-m", f"use {hook}")

    def run(self, *command: str, cwd: Path | None = None) -> Done:
        """Run a command and print it with its output."""
        done = subprocess.run(
            command,
            cwd=cwd or self.shop,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = done.stdout.replace(str(self.work), "WORK")
        line = " ".join(command).replace(str(self.work), "WORK")
        print(f"```console\n$ {line}\n{output}[{done.returncode}]\n```\n", flush=True)
        return Done(done.returncode, output)

    def expect(self, what: str, holds: object) -> None:
        """Note and print whether something is as it should be."""
        print(f"{'ok' if holds else 'WRONG'}: {what}\n", flush=True)
        if not holds:
            self.wrong.append(what)


def check_fails_readably(trial: Trial) -> None:
    trial.use("awaken-check")
    done = trial.run("pre-commit", "run", "--all-files")
    trial.expect("awaken-check fails where there are sites", done.code == 1)
    trial.expect("it names rule, level and place", "query-to-select safe:" in done.output)
    trial.expect("its own exit code is 1", "- exit code: 1" in done.output)
    trial.expect("no colours", "\x1b[" not in done.output)
    trial.expect("no internal error", "internal error" not in done.output)
    trial.expect("it changes nothing", not trial.quiet("git", "status", "--porcelain"))


def try_repo(trial: Trial) -> None:
    done = trial.run("pre-commit", "try-repo", str(trial.hooks), "awaken-check", "--all-files")
    trial.expect("try-repo does the same", done.code == 1 and "query-to-select" in done.output)


def diff_fails_readably(trial: Trial) -> None:
    trial.use("awaken-diff")
    done = trial.run("pre-commit", "run", "--all-files")
    trial.expect("awaken-diff fails where it could rewrite", done.code == 1)
    trial.expect("it shows a patch", "\n+++ b/" in done.output)
    trial.expect("it changes nothing", not trial.quiet("git", "status", "--porcelain"))


def apply_fails_once(trial: Trial) -> None:
    trial.use("awaken")
    note = trial.shop / "notes.txt"
    note.write_text("staged\n")
    trial.quiet("git", "add", "notes.txt")
    note.write_text("staged\nnot staged\n")
    first = trial.run("pre-commit", "run", "--all-files")
    trial.expect("the apply hook fails once", first.code == 1)
    trial.expect("it changed files", "files were modified by this hook" in first.output)
    trial.expect("what was not staged is kept", note.read_text().endswith("not staged\n"))
    second = trial.run("pre-commit", "run", "--all-files")
    trial.expect("then it passes", second.code == 0)
    trial.run("git", "--no-pager", "diff", "--stat", "--", "*.py")
    trial.commit("modern")


def clean_passes(trial: Trial) -> None:
    trial.use("awaken-diff")
    trial.expect("awaken-diff passes", trial.run("pre-commit", "run", "--all-files").code == 0)
    # What is manual in the bookshop is not what is tried here.
    source = trial.shop / "clean"
    source.mkdir()
    (source / "a.py").write_text("x = 1\n")
    trial.commit("a clean folder")
    trial.use("awaken-check", "clean")
    trial.expect("awaken-check passes", trial.run("pre-commit", "run", "--all-files").code == 0)


def only_new_lines(trial: Trial) -> None:
    trial.quiet("git", "checkout", "-q", "-b", "legacy", trial.start)
    trial.use("awaken-check", "--since", "HEAD")
    trial.run("pre-commit", "install")
    (trial.shop / "notes.txt").write_text("nothing of Python\n")
    (trial.shop / "bookshop" / "empty.py").write_text("x = 1\n")
    trial.quiet("git", "add", "-A")
    done = trial.run("git", "commit", "-m", "no site")
    trial.expect("with --since HEAD a commit without new sites passes", done.code == 0)
    (trial.shop / "bookshop" / "cheapest.py").write_text(LEGACY)
    trial.quiet("git", "add", "-A")
    stopped = trial.run("git", "commit", "-m", "a legacy query")
    trial.expect("the commit of a new site is stopped", stopped.code == 1)
    trial.expect("by that site alone", stopped.output.count("query-to-select safe:") == 1)


def baseline_holds(trial: Trial) -> None:
    awaken = next((trial.work / "pre-commit").glob("repo*/py_env*/bin/awaken"))
    trial.quiet("git", "checkout", "-q", "-f", "-b", "baseline", trial.start)
    trial.run(str(awaken), "check", "--write-baseline")
    trial.commit("what is there today")
    trial.use("awaken-check")
    done = trial.run("pre-commit", "run", "--all-files")
    trial.expect("with a baseline what is there today passes", done.code == 0)
    (trial.shop / "bookshop" / "cheapest.py").write_text(LEGACY)
    trial.quiet("git", "add", "-A")
    stopped = trial.run("pre-commit", "run", "--all-files")
    trial.expect("a new site fails", stopped.code == 1)
    trial.expect("and nothing else", stopped.output.count("query-to-select safe:") == 1)


def one_line_per_site(trial: Trial) -> None:
    trial.use("awaken-check", "--select", "sqlalchemy", "--output-format", "concise", "bookshop")
    done = trial.run("pre-commit", "run", "--all-files")
    trial.expect("a folder and a form can be chosen", "\nbookshop/cheapest.py:7:12:" in done.output)
    trial.expect("tests are left out", "\ntests/" not in done.output)


def what_does_not_fit_is_restored(trial: Trial) -> None:
    trial.quiet("git", "checkout", "-q", "-f", "-b", "conflict", trial.start)
    trial.use("awaken")
    new = trial.shop / "bookshop" / "cheapest.py"
    new.write_text(LEGACY)
    trial.quiet("git", "add", "-A")
    new.write_text(unstaged := LEGACY.replace("Book.price", "Book.title"))
    done = trial.run("pre-commit", "run")
    trial.expect("pre-commit says that it rolls back", "Rolling back" in done.output)
    trial.expect("and nothing unstaged is lost", new.read_text() == unstaged)


def broken_files_are_named(trial: Trial) -> None:
    trial.quiet("git", "checkout", "-q", "-f", "-b", "broken", trial.start)
    trial.use("awaken-check", "--since", "HEAD")
    (trial.shop / "bookshop" / "broken.py").write_text("session.query(\n")
    trial.quiet("git", "add", "-A")
    done = trial.run("pre-commit", "run")
    trial.expect("a file that is no Python ends with 2", "- exit code: 2" in done.output)
    trial.expect("and is named", "bookshop/broken.py" in done.output)


def main() -> int:
    """Run the whole trial; return 1 if something is not as it should be."""
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    with tempfile.TemporaryDirectory(prefix="awaken-pre-commit-") as directory:
        trial = Trial(Path(directory).resolve(), commit)
        done = trial.run(
            "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=trial.hooks
        )
        trial.expect("the manifest is valid", done.code == 0)
        check_fails_readably(trial)
        try_repo(trial)
        diff_fails_readably(trial)
        apply_fails_once(trial)
        clean_passes(trial)
        only_new_lines(trial)
        baseline_holds(trial)
        one_line_per_site(trial)
        what_does_not_fit_is_restored(trial)
        broken_files_are_named(trial)
        print(f"{len(trial.wrong)} wrong" if trial.wrong else "All as it should be.")
        return bool(trial.wrong)


if __name__ == "__main__":
    sys.exit(main())
