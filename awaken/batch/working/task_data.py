"""The data that go into the work on a repository and come out of it, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from awaken.batch.state.records import Counts, Kind, State


class Task(Struct, frozen=True, kw_only=True):
    """One repository: where it is, what is done, and what it may take.

    ``key`` identifies the inputs without the base commit. ``awaken`` is the digest of the code that
    the worker must have. ``work`` is a directory for clones, empty for one of the worker's own.
    ``tests`` is the command that runs them, ``auto``, or empty; ``date`` is that of the commit.
    """

    id: str
    name: str
    url: str
    ref: str
    base: str
    subdirectory: str
    branch: str
    key: str
    awaken: str
    work: str
    recipe: str
    settings: Mapping[str, Any]
    tests: str
    environment: tuple[str, ...]
    carry: tuple[str, ...]
    network: bool
    pass_env: tuple[str, ...]
    campaign: str
    title: str
    author: str
    date: int
    seconds: int
    clone_seconds: int
    memory_mb: int
    size_mb: int
    attempt: int = 1


class Failure(Struct, frozen=True, kw_only=True):
    """Why the work failed: its kind, one sentence, and the cause that others may share."""

    kind: Kind
    message: str
    cause: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of the work on a repository.

    ``commit`` is in the bundle among ``files``, which are named by what they hold. ``patch`` is the
    digest of the changes.
    """

    id: str
    state: State
    base: str = ""
    base_branch: str = ""
    commit: str = ""
    patch: str = ""
    counts: Counts = Counts()
    message: str = ""
    failure: Failure | None = None
    seconds: float = 0.0
    machine: str = ""
    files: Mapping[str, bytes] = {}


class Summary(Struct, frozen=True, kw_only=True):
    """The changes as a pull request describes them; all of it is foreign text.

    ``rules`` are names with a phrase of counts, ``unsafe`` what may change with the number of
    places, ``manual`` what is left to people, ``tests`` rows on what the tests said. ``again`` is
    the command that makes the same diff, ``notes`` say what was left out.
    """

    rules: tuple[tuple[str, str], ...] = ()
    unsafe: tuple[tuple[str, int], ...] = ()
    manual: tuple[tuple[str, str], ...] = ()
    tests: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    again: str = ""
    version: str = ""
    rewritten: int = 0
    files: tuple[str, ...] = ()


class Start(Struct, frozen=True):
    """The input of a child; with the compiled page it need not compile that again."""

    task: Task
    page: bytes


class ChildResult(Struct, frozen=True, kw_only=True):
    """The result that the child process writes; patch, bundle and reports are files next to it."""

    state: State
    commit: str = ""
    counts: Counts = Counts()
    message: str = ""
    failure: Failure | None = None


def error_result(kind: Kind, message: str) -> ChildResult:
    """Return the result of a child that failed, and why."""
    return ChildResult(state=State.ERROR, failure=Failure(kind=kind, message=message))


PATCH, BUNDLE, REPORT, SUMMARY, LOG = (
    "changes.patch",
    "changes.bundle",
    "report.html",
    "summary.json",
    "log.txt",
)
START = "start"
"""The file that a child begins with; its digest is on the command line, which nobody can change."""
KEPT = (PATCH, BUNDLE, REPORT, SUMMARY, LOG)
"""The files of a repository that a campaign keeps."""
