"""GitHub, through ``gh api``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from awaken.batch.hosts.api_program import ApiProgram
from awaken.batch.hosts.host_port import Draft, Facts, HostError, PullRequest
from awaken.batch.manifest.campaign_settings import Entry

_FORK_SECONDS = 60.0


class GithubHost:
    """Pull requests of GitHub, or of a GitHub Enterprise ``server``."""

    longest_body = 65_536

    def __init__(self, directory: Path, server: str) -> None:
        self._api = ApiProgram("gh", directory, server)

    def facts(self, entry: Entry) -> Facts:
        """Return the facts of a repository."""
        said = self._api.ask(f"repos/{entry.slug}")
        permissions = said.get("permissions") or {}
        return Facts(
            default_branch=said.get("default_branch", ""),
            archived=bool(said.get("archived")),
            may_push=bool(permissions.get("push")),
        )

    def find(self, entry: Entry, head: str, marker: str) -> PullRequest | None:
        """Return the newest pull request from ``head`` whose text has the ``marker``."""
        owner = entry.slug.partition("/")[0]
        full = head if ":" in head else f"{owner}:{head}"
        query = f"head={quote(full, safe='')}&state=all&per_page=100&sort=created&direction=desc"
        for said in self._api.ask(f"repos/{entry.slug}/pulls?{query}"):
            if marker in (said.get("body") or ""):
                return _read(said)
        return None

    def create(self, entry: Entry, draft: Draft) -> PullRequest:
        """Open a pull request, with its labels and reviewers as far as they are known there."""
        document = {
            "title": draft.title,
            "head": draft.head,
            "base": draft.base,
            "body": draft.body,
            "draft": draft.is_draft,
            "maintainer_can_modify": True,
        }
        try:
            made = _read(self._api.ask(f"repos/{entry.slug}/pulls", "POST", document))
        except HostError as error:
            # Private repositories of some plans have none.
            if not draft.is_draft or "draft" not in str(error).lower():
                raise
            document["draft"] = False
            made = _read(self._api.ask(f"repos/{entry.slug}/pulls", "POST", document))
        for path, key, names in (
            (f"issues/{made.number}/labels", "labels", draft.labels),
            (f"pulls/{made.number}/requested_reviewers", "reviewers", draft.reviewers),
        ):
            if names:
                self._try(f"repos/{entry.slug}/{path}", {key: list(names)})
        return made

    def _try(self, path: str, document: dict[str, Any]) -> None:
        try:
            self._api.ask(path, "POST", document)
        except HostError:
            return  # the pull request is there, and nobody needs a second one for a label

    def edit(self, entry: Entry, number: int, title: str, body: str) -> None:
        """Give a pull request another text."""
        document = {"title": title, "body": body}
        self._api.ask(f"repos/{entry.slug}/pulls/{number}", "PATCH", document)

    def look(self, entry: Entry, number: int) -> PullRequest:
        """Return a pull request as it is now."""
        return _read(self._api.ask(f"repos/{entry.slug}/pulls/{number}"))

    def close(self, entry: Entry, number: int, comment: str) -> None:
        """Close a pull request, with a comment if there is one."""
        if comment:
            path = f"repos/{entry.slug}/issues/{number}/comments"
            self._api.ask(path, "POST", {"body": comment})
        self._api.ask(f"repos/{entry.slug}/pulls/{number}", "PATCH", {"state": "closed"})

    def fork(self, entry: Entry) -> str:
        """Return the user's fork of a repository, made if there was none."""
        said = self._api.ask(f"repos/{entry.slug}/forks", "POST", {"default_branch_only": True})
        fork = str(said["full_name"])
        ending = time.monotonic() + _FORK_SECONDS
        while self._api.ask(f"repos/{fork}", missing=True) is None:
            if time.monotonic() > ending:
                raise HostError(f"the fork {fork} is not there after {_FORK_SECONDS:.0f} s")
            time.sleep(1)
        return fork

    def delete_fork(self, entry: Entry, fork: str) -> None:
        """Delete a fork; one that is no fork of the repository stays."""
        said = self._api.ask(f"repos/{fork}", missing=True)
        if said is None:
            return
        parent = (said.get("parent") or {}).get("full_name", "")
        if not said.get("fork") or parent.lower() != entry.slug.lower():
            raise HostError(f"{fork} is no fork of {entry.slug}, so it stays")
        self._api.ask(f"repos/{fork}", "DELETE")

    def push_url(self, entry: Entry, fork: str) -> str:
        """Return the address to push to: the one that was cloned from, or that of the fork."""
        url = entry.repository.url
        return url.replace(entry.slug, fork) if fork else url


def _read(said: Any) -> PullRequest:
    merged = said.get("merged_at") or said.get("merged")
    return PullRequest(
        number=said["number"],
        url=str(said.get("html_url", "")),
        state="merged" if merged else str(said["state"]),
        body=said.get("body") or "",
        head=str((said.get("head") or {}).get("sha", "")),
    )
