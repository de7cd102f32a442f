"""The repositories that a command is about: by name, by state, by shard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from awaken.batch.manifest.campaign_settings import Entry
from awaken.batch.state.records import FAILED, FINISHED, State
from awaken.batch.state.repository_progress import Progress
from awaken.contract import UserError
from awaken.contract.nearest import did_you_mean

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")


class Choice(Struct, frozen=True, kw_only=True):
    """The selection that the options of a command make: patterns, states, a number and a shard."""

    only: tuple[str, ...] = ()
    failed: bool = False
    retry_errors: bool = False
    limit: int | None = None
    shard: tuple[int, int] | None = None


def shard_of(text: str) -> tuple[int, int]:
    """Return the shard that ``3/20`` is: its number, from 1, and how many there are."""
    match = _SHARD.fullmatch(text)
    if match is None or not 0 < int(match[1]) <= int(match[2]):
        raise UserError(f"{text!r} is no shard; write for instance 3/20")
    return int(match[1]), int(match[2])


def matching(entries: Sequence[Entry], patterns: Iterable[str]) -> list[Entry]:
    """Return the repositories whose names match one of the patterns, all without a pattern.

    Raises UserError for a pattern that matches none.
    """
    wanted = list(patterns)
    if not wanted:
        return list(entries)
    chosen: dict[str, Entry] = {}
    for pattern in wanted:
        matches = [entry for entry in entries if _matches(entry, pattern)]
        if not matches:
            hint = did_you_mean(pattern, (entry.name for entry in entries))
            raise UserError(f"no repository of this campaign matches {pattern!r}{hint}")
        chosen |= {entry.id: entry for entry in matches}
    return [entry for entry in entries if entry.id in chosen]


def _matches(entry: Entry, pattern: str) -> bool:
    texts = (entry.name, entry.id, entry.slug, entry.repository.url)
    plain = pattern.lower()
    last = entry.name.rpartition("/")[2].lower()
    return plain == last or any(fnmatchcase(text.lower(), plain) for text in texts if text)


def to_run(
    entries: Sequence[Entry],
    progress: Mapping[str, Progress],
    keys: Mapping[str, str],
    choice: Choice,
) -> list[Entry]:
    """Return the repositories whose steps are to be done, in the order of the manifest.

    ``keys`` are the inputs of now but for the base commit. A repository with other inputs than at
    its last run is not finished, unless it is already on the host: `update` is for those.
    """
    chosen = [entry for entry in matching(entries, choice.only) if not entry.repository.skip]
    if choice.shard is not None:
        number, total = choice.shard
        ordered = sorted(entry.id for entry in entries)
        own = set(ordered[number - 1 :: total])
        chosen = [entry for entry in chosen if entry.id in own]
    asked = FAILED if choice.failed else frozenset()
    asked |= {State.ERROR} if choice.retry_errors else frozenset()
    waiting = []
    for entry in chosen:
        known = progress.get(entry.id)
        if asked:
            wanted = known is not None and (known.state in asked or known.result in asked)
        else:
            wanted = known is None or not _is_finished(known, keys[entry.id])
        if wanted:
            waiting.append(entry)
    return waiting[: choice.limit]


def _is_finished(known: Progress, key: str) -> bool:
    if known.number or known.state in {State.PUSHED, State.PR_OPEN, State.MERGED, State.CLOSED}:
        return True
    return known.state in FINISHED and known.key == key
