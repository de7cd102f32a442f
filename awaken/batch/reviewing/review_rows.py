"""The rows of a review: a repository with its state and its files."""

from __future__ import annotations

from msgspec import Struct

from awaken.batch.manifest.campaign_settings import Entry
from awaken.batch.state.repository_progress import Progress


class Row(Struct, frozen=True):
    """A repository in the table, and the files that the page links to, as far as they exist."""

    entry: Entry
    progress: Progress
    state: str
    files: tuple[str, ...]
    directory: str
