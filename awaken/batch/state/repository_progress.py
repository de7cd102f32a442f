"""The progress of each repository of a campaign: the log, folded."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import field

from awaken.batch.state.records import READY, Counts, Known, Record, State

_ENDS_RUN = READY | {State.NOTHING, State.RED_BEFORE, State.VERIFY_FAILED, State.REFUSED}


class Progress(Known, kw_only=True):
    """The log's latest fact about a repository on each point.

    ``result`` is the state that the last run ended with, ``opened_at`` when its pull request was
    opened. ``pushes`` are all commits that the campaign pushed, or was about to.
    """

    result: State | None = None
    counts: Counts = Counts()
    opened_at: float = 0.0
    pushes: set[str] = field(default_factory=set)

    @property
    def is_approved(self) -> bool:
        """Whether what is there now was approved: an approval is for a patch."""
        return bool(self.patch) and self.approved == self.patch

    @property
    def display_state(self) -> State:
        """The state for people: a patch that was approved before needs no second word."""
        if self.state in READY and self.is_approved:
            return State.APPROVED
        return self.state

    @property
    def is_published(self) -> bool:
        """Whether the commit of the last run is on the host, with its pull request."""
        return bool(self.number) and bool(self.commit) and self.pushed == self.commit


_TEXTS = ("base", "base_branch", "branch", "pushed", "url", "fork", "approved")


def fold(records: Iterable[Record]) -> dict[str, Progress]:
    """Return the progress of each repository that the log names."""
    known: dict[str, Progress] = {}
    for record in records:
        progress = known.get(record.repository)
        if progress is None:
            progress = known[record.repository] = Progress(repository=record.repository)
        _take(progress, record)
    return known


def _take(progress: Progress, record: Record) -> None:
    progress.state = record.state
    progress.at = record.at
    progress.kind, progress.message, progress.cause = record.kind, record.message, record.cause
    progress.attempt = record.attempt or progress.attempt
    if record.state in _ENDS_RUN and record.key:
        # The result of an earlier run no longer exists.
        progress.result, progress.key = record.state, record.key
        progress.commit, progress.patch = record.commit, record.patch
        progress.counts = record.counts or Counts()
        progress.seconds = record.seconds
    elif record.key:
        progress.key = record.key
    for name in _TEXTS:
        text = getattr(record, name)
        if text:
            setattr(progress, name, text)
    if record.pushing:
        progress.pushes.add(record.pushing)
    if record.number:
        progress.number = record.number
    if record.opened:
        progress.opened_at = record.at
    if record.state in READY and not record.key:
        progress.approved = ""  # an approval that was taken back
