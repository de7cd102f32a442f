"""Makes the host that a manifest names."""

from __future__ import annotations

from pathlib import Path

from awaken.batch.hosts.github_host import GithubHost
from awaken.batch.hosts.gitlab_host import GitlabHost
from awaken.batch.hosts.host_port import Host
from awaken.batch.manifest.campaign_settings import Publish


def host_of(publish: Publish, directory: Path) -> Host | None:
    """Return the host, None where patches are all that is published. Raises StopError."""
    if publish.host == "github":
        return GithubHost(directory, publish.server)
    if publish.host == "gitlab":
        return GitlabHost(directory, publish.server)
    return None
