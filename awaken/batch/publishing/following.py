"""Follows published pull requests: what became of them, closing them, and forks that are left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from awaken.batch.hosts.choosing import host_of
from awaken.batch.hosts.host_port import Host, HostError, StopError, WaitError
from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.publishing.pushing import delete_branch
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import Record, State
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import matching
from awaken.batch.state.state_log import StateLog, read_log
from awaken.contract import UserError

_STATES = {"open": State.PR_OPEN, "merged": State.MERGED, "closed": State.CLOSED}
_ENDED = {State.MERGED, State.CLOSED}


def _host(folder: CampaignFolder, manifest: Manifest) -> Host:
    host = host_of(manifest.publish, folder.top)
    if host is None:
        raise UserError('the campaign has host = "none", so there are no pull requests')
    return host


def refresh_states(folder: CampaignFolder, manifest: Manifest) -> None:
    """Ask the host what became of each open pull request, and write it down.

    Raises UserError where the host cannot be asked.
    """
    host = _host(folder, manifest)
    with folder.hold() as log:
        for entry, known in _open_requests(folder, manifest.entries):
            try:
                there = host.look(entry, known.number)
            except HostError:
                continue  # it may be gone; its last state stays
            except WaitError as error:
                raise StopError(f"{error}; ask again later") from None
            state = _STATES.get(there.state, State.PR_OPEN)
            if state is not known.state and state in _ENDED:
                log.append(_record(entry, state))


def _open_requests(
    folder: CampaignFolder, entries: Iterable[Entry]
) -> Iterator[tuple[Entry, Progress]]:
    """Yield the repositories whose pull request has not ended, as far as is written down."""
    progress = fold(read_log(folder.log)[0])
    for entry in entries:
        known = progress.get(entry.id)
        if known is not None and known.number and known.state not in _ENDED:
            yield entry, known


def close_requests(
    folder: CampaignFolder, manifest: Manifest, patterns: Sequence[str], comment: str
) -> Iterator[str]:
    """Close the open pull requests that match; yield a sentence on each. Raises UserError."""
    host = _host(folder, manifest)
    with folder.hold() as log:
        for entry, known in _open_requests(folder, matching(manifest.entries, patterns)):
            try:
                yield f"{entry.name}: {_closed_text(host, entry, known, folder, log, comment)}"
            except (HostError, WaitError) as error:
                yield f"{entry.name}: not closed: {error}"


def _closed_text(  # noqa: PLR0913  what it is about, and where
    host: Host,
    entry: Entry,
    known: Progress,
    folder: CampaignFolder,
    log: StateLog,
    comment: str,
) -> str:
    there = host.look(entry, known.number)
    if there.state == "open":
        host.close(entry, known.number, comment)
    state = State.MERGED if there.state == "merged" else State.CLOSED
    log.append(_record(entry, state))
    url = host.push_url(entry, known.fork)
    if delete_branch(url, known.branch, known.pushes, folder.work):
        return f"{state}, and the branch is deleted"
    return f"{state}; the branch stays because somebody else committed to it"


def delete_forks(folder: CampaignFolder, manifest: Manifest, log: StateLog) -> list[str]:
    """Delete forks of the campaign whose pull requests have ended; return their names.

    Raises UserError where the host cannot be asked.
    """
    host = _host(folder, manifest)
    progress = fold(read_log(folder.log)[0])
    deleted = []
    for entry in manifest.entries:
        known = progress.get(entry.id)
        if known is None or not known.fork or known.state not in _ENDED:
            continue
        try:
            host.delete_fork(entry, known.fork)
        except (HostError, WaitError):
            continue
        deleted.append(known.fork)
        log.append(_record(entry, known.state))
    return deleted


def _record(entry: Entry, state: State) -> Record:
    return Record(at=round(time.time(), 3), repository=entry.id, state=state)
