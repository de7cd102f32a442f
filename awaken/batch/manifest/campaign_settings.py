"""The settings of a campaign as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from awaken.settings import Settings

HostName = Literal["none", "github", "gitlab"]
AUTO = "auto"
"""The command of the tests as `awaken doctor` sees it."""


class Campaign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The task of a campaign, and its name.

    ``repositories`` is a list of addresses, or the name of a file with one. ``body`` is a file with
    a template of the pull request's text, ``author`` the author of commits, ``Name <address>``.
    """

    name: str
    branch: str
    base: str = ""
    recipe: str = ""
    title: str = ""
    why: str = ""
    body: str = ""
    author: str = ""
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    repositories: tuple[str, ...] | str = "repos.txt"


class VerifyRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How the tests of a repository run; without a ``command`` they do not.

    ``environment`` are commands that make the environment of the tests before. ``pass_env`` names
    variables that the tests may see.
    """

    command: str = ""
    environment: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    network: bool = True
    pass_env: tuple[str, ...] = ()


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Limits of one repository, and how many are worked on at once (0: one per core)."""

    seconds: int = 3600
    clone_seconds: int = 900
    memory_mb: int = 8192
    size_mb: int = 2048
    free_disk_mb: int = 1024
    jobs: int = 0
    attempts: int = 4
    pause_seconds: float = 5.0


class Publish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Where pull requests go, and how fast.

    ``hours`` are office hours such as ``Mon-Fri 09:00-17:00``, in local time; empty for always.
    ``open_at_most`` of 0 is no limit. ``longest_pause`` is how many seconds a server may ask for.
    """

    host: HostName = "none"
    draft: bool = True
    per_hour: int = 30
    open_at_most: int = 0
    hours: str = ""
    forks: bool = True
    server: str = ""
    longest_pause: int = 4000


class Dask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The certificates of a Dask cluster; without ``tls`` whoever reaches it runs code there."""

    tls: bool = True
    ca: str = ""
    cert: str = ""
    key: str = ""


class Repository(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A repository of the campaign: its address, and what is different there.

    ``ref`` is the branch, tag or commit to start from. ``awaken`` are settings that override those
    of the campaign.
    """

    url: str
    ref: str = ""
    subdirectory: str = ""
    skip: bool = False
    branch: str = ""
    verify: str | None = None
    awaken: Mapping[str, Any] = {}


class Entry(Struct, frozen=True, kw_only=True):
    """A repository with its ``id``, which names its files, and its ``name`` for people.

    ``slug`` is ``owner/name`` on a code host, empty for a path. ``origin`` is the place in a list.
    """

    id: str
    name: str
    identity: str
    host: str
    slug: str
    repository: Repository
    origin: str = ""


class Manifest(Struct, frozen=True, kw_only=True):
    """All that a campaign says; ``awaken`` is its table of settings, as in ``[tool.awaken]``.

    ``notes`` are sentences on what was left out of the lists.
    """

    campaign: Campaign
    awaken: Mapping[str, Any]
    settings: Settings
    verify: VerifyRun
    limits: Limits
    publish: Publish
    dask: Dask
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    body_template: str = ""
