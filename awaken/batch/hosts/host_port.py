"""The port of code hosts: pull requests, and what is needed to open them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from awaken.batch.manifest.campaign_settings import Entry
from awaken.contract import UserError


class PullRequest(Struct, frozen=True, kw_only=True):
    """A pull request; ``state`` is ``open``, ``merged`` or ``closed``, ``head`` its commit."""

    number: int
    url: str
    state: str
    body: str = ""
    head: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """A host's facts about a repository, before anything is pushed there."""

    default_branch: str
    archived: bool = False
    may_push: bool = True


class Draft(Struct, frozen=True, kw_only=True):
    """A pull request to be: from ``head`` (a branch, with its owner if that is a fork)."""

    base: str
    head: str
    title: str
    body: str
    is_draft: bool
    labels: Sequence[str] = ()
    reviewers: Sequence[str] = ()


class HostError(Exception):
    """The host refuses something about one repository; the text is a clause that says why."""


class WaitError(Exception):
    """The host wants a pause of so many ``seconds``, or does not answer."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class StopError(UserError):
    """Nothing can be published any more, for instance with this token."""


class Host(Protocol):
    """A code host. All functions raise HostError, WaitError and StopError."""

    longest_body: int

    def facts(self, entry: Entry) -> Facts:
        """Return the facts of a repository."""

    def find(self, entry: Entry, head: str, marker: str) -> PullRequest | None:
        """Return the newest pull request from ``head`` whose text has the ``marker``."""

    def create(self, entry: Entry, draft: Draft) -> PullRequest:
        """Open a pull request, with its labels and reviewers as far as they are known there."""

    def edit(self, entry: Entry, number: int, title: str, body: str) -> None:
        """Give a pull request another text."""

    def look(self, entry: Entry, number: int) -> PullRequest:
        """Return a pull request as it is now."""

    def close(self, entry: Entry, number: int, comment: str) -> None:
        """Close a pull request, with a comment if there is one."""

    def fork(self, entry: Entry) -> str:
        """Return the user's fork of a repository, ``owner/name``, made if there was none."""

    def delete_fork(self, entry: Entry, fork: str) -> None:
        """Delete a fork."""

    def push_url(self, entry: Entry, fork: str) -> str:
        """Return the address to push to."""
