"""The commit of a repository's changes, as a patch to read and a bundle to push.

No hook runs, nothing is signed, and no file of the clone but those that awaken wrote is part.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path

from msgspec import Struct

from awaken.batch.working.change_summary import commit_text
from awaken.batch.working.cloning import Git
from awaken.batch.working.task_data import Summary

_SECONDS = 600.0
_UNUSUAL = ("-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", "-c", "core.attributesFile=")


class Commit(Struct, frozen=True, kw_only=True):
    """A commit in the clone at ``top``: absolute ``files``, its message, author and date."""

    top: Path
    files: tuple[Path, ...]
    title: str
    body: Summary
    author: str
    date: int
    branch: str


def commit_all(commit: Commit, patch: Path, bundle: Path) -> str:
    """Commit, and write ``patch`` and ``bundle``; return the commit, empty where nothing differs.

    The same changes at the same ``date`` give the same commit. Raises GitFailedError.
    """
    git = Git(commit.top, _SECONDS, environment=_environment(commit))
    names = b"\0".join(map(os.fsencode, commit.files))
    listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
    base = git.say("rev-parse", "HEAD")
    git.say("--literal-pathspecs", "add", "--force", *listed, given=names)
    if not git.ask("diff", "--cached", "--quiet", "HEAD").returncode:
        return ""
    text = commit_text(commit.title, commit.body)
    words = ("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--only", f"--message={text}")
    git.say("--literal-pathspecs", *_UNUSUAL, *words, *listed, given=names)
    number = git.say("rev-parse", "HEAD")
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--binary")
    written = ("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "diff", *plain)
    git.say(*written, f"--output={patch}", base, number)
    branch = f"refs/heads/{commit.branch}"
    git.say("update-ref", branch, number)
    git.say("bundle", "create", "--quiet", str(bundle), f"{base}..{branch}")
    return number


def _environment(commit: Commit) -> Mapping[str, str]:
    name, address = parseaddr(commit.author)
    date = f"{commit.date} +0000"
    return {
        **os.environ,
        "LC_ALL": "C",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": address,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": address,
        "GIT_COMMITTER_DATE": date,
    }
