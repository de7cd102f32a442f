"""GitLab, through ``glab api``: merge requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from awaken.batch.hosts.api_program import ApiProgram
from awaken.batch.hosts.host_port import Draft, Facts, HostError, PullRequest
from awaken.batch.manifest.campaign_settings import Entry

_DEVELOPER = 30
"""The level of access that may push."""


class GitlabHost:
    """Merge requests of GitLab, or of a ``server`` of one's own. It makes no forks."""

    longest_body = 1_000_000

    def __init__(self, directory: Path, server: str) -> None:
        self._api = ApiProgram("glab", directory, server)

    def facts(self, entry: Entry) -> Facts:
        """Return the facts of a repository."""
        said = self._api.ask(_project(entry))
        access = (said.get("permissions") or {}).values()
        level = max((each.get("access_level", 0) for each in access if each), default=0)
        return Facts(
            default_branch=said.get("default_branch") or "",
            archived=bool(said.get("archived")),
            may_push=level >= _DEVELOPER,
        )

    def find(self, entry: Entry, head: str, marker: str) -> PullRequest | None:
        """Return the newest merge request from ``head`` whose text has the ``marker``."""
        query = f"source_branch={quote(head, safe='')}&per_page=100&order_by=created_at&sort=desc"
        for said in self._api.ask(f"{_project(entry)}/merge_requests?{query}&state=all"):
            if marker in (said.get("description") or ""):
                return _read(said)
        return None

    def create(self, entry: Entry, draft: Draft) -> PullRequest:
        """Open a merge request, with its labels."""
        document = {
            "title": f"Draft: {draft.title}" if draft.is_draft else draft.title,
            "source_branch": draft.head,
            "target_branch": draft.base,
            "description": draft.body,
            "labels": ",".join(draft.labels),
        }
        return _read(self._api.ask(f"{_project(entry)}/merge_requests", "POST", document))

    def edit(self, entry: Entry, number: int, title: str, body: str) -> None:
        """Give a merge request another text; a title may have become that of a finished one."""
        del title
        document = {"description": body}
        self._api.ask(f"{_project(entry)}/merge_requests/{number}", "PUT", document)

    def look(self, entry: Entry, number: int) -> PullRequest:
        """Return a merge request as it is now."""
        return _read(self._api.ask(f"{_project(entry)}/merge_requests/{number}"))

    def close(self, entry: Entry, number: int, comment: str) -> None:
        """Close a merge request, with a comment if there is one."""
        path = f"{_project(entry)}/merge_requests/{number}"
        if comment:
            self._api.ask(f"{path}/notes", "POST", {"body": comment})
        self._api.ask(path, "PUT", {"state_event": "close"})

    def fork(self, entry: Entry) -> str:
        """Raise HostError: there are no forks here."""
        raise HostError(f"you may not push to {entry.slug}, and awaken makes no forks on GitLab")

    def delete_fork(self, entry: Entry, fork: str) -> None:
        """Delete nothing."""

    def push_url(self, entry: Entry, fork: str) -> str:
        """Return the address to push to."""
        del fork
        return entry.repository.url


def _project(entry: Entry) -> str:
    return f"projects/{quote(entry.slug, safe='')}"


def _read(said: Any) -> PullRequest:
    state = str(said["state"])
    return PullRequest(
        number=said["iid"],
        url=str(said.get("web_url", "")),
        state="open" if state == "opened" else state,
        body=said.get("description") or "",
        head=str(said.get("sha") or ""),
    )
