"""The loop of ``publish``: one repository after the other, each looked up before it is made.

Rates: so many an hour, so many open at once, in office hours, and pauses as the server says.

The clock may jump: log entries from the future count as of now, and no pause exceeds an hour.
Within a process a clock that never jumps decides.

The text of a pull request, in sections; where a host takes less, whole sections are left out.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from awaken.batch.hosts.choosing import host_of
from awaken.batch.hosts.host_port import (
    Draft,
    Facts,
    Host,
    HostError,
    PullRequest,
    StopError,
    WaitError,
)
from awaken.batch.manifest.campaign_settings import Entry, Manifest
from awaken.batch.manifest.office_hours import OfficeHours, office_hours
from awaken.batch.publishing.pushing import Branch, push_branch
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import READY, Kind, Record, State
from awaken.batch.state.repository_progress import Progress, fold
from awaken.batch.state.selecting import matching
from awaken.batch.state.state_log import StateLog, read_log
from awaken.batch.working.cloning import cause_of
from awaken.batch.working.repository_work import OPT_OUT
from awaken.batch.working.task_data import BUNDLE, PATCH, SUMMARY, Summary
from awaken.engine.machine.filesystem import replacing
from awaken.preview.counts import plural
from awaken.preview.markdown.escaped_text import code, prose

_PART = re.compile(r"\{(\w+)\}")
_DEFAULT = (
    "{what}\n\n{why}\n\n{rules}\n\n{unsafe}\n\n{tests}\n\n{manual}\n\n{reproduce}\n\n{opt_out}"
)
_FIRST_CUT = ("manual", "tests", "unsafe", "rules", "reproduce", "why", "opt_out", "what")
"""The sections in the order in which they are left out, where the text is too long."""
_FENCE = re.compile("`{3,}")
HOUR = 3600.0
Tell = Callable[[str], None]
_TRIES = 6
_FIRST_PAUSE, _TIMES = 2.0, 3.0
_LOOK = 30.0
"""A pause of more seconds is made in parts, so that a clock that jumps is seen."""
_Done = TypeVar("_Done")
_STATES = {"open": State.PR_OPEN, "merged": State.MERGED, "closed": State.CLOSED}
_ENDED = {State.REFUSED, State.MERGED, State.CLOSED}


def marker_of(manifest: Manifest, entry: Entry) -> str:
    """Return the hidden line by which the pull request of a repository is known."""
    return f"<!-- awaken-batch campaign={manifest.campaign.name} repository={entry.id} -->"


def request_text(manifest: Manifest, entry: Entry, summary: Summary, longest: int) -> str:
    """Return the text for one repository, of at most ``longest`` bytes, with its marker."""
    marker = marker_of(manifest, entry)
    template = manifest.body_template or _DEFAULT
    parts = _parts(manifest, summary)
    left_out: list[str] = []
    for cut in ("", *_FIRST_CUT):
        if cut and parts.get(cut):
            parts[cut] = ""
            left_out.append(_TITLES.get(cut, cut))
        text = _filled_text(template, parts, left_out)
        whole = f"{text}\n\n{marker}\n"
        if len(whole.encode()) <= longest:
            return whole
    return f"{marker}\n"


_TITLES = {
    "manual": "sites to rewrite by hand",
    "tests": "what the tests said",
    "unsafe": "what may change",
    "rules": "the rules",
    "reproduce": "how to make the same diff",
}


def _filled_text(template: str, parts: Mapping[str, str], left_out: list[str]) -> str:
    text = _PART.sub(lambda match: parts.get(match[1], match[0]), template)
    if left_out:
        text += f"\n\nLeft out, because the text was too long: {', '.join(left_out)}."
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _parts(manifest: Manifest, summary: Summary) -> dict[str, str]:
    campaign = manifest.campaign
    sites = plural(summary.rewritten, "site")
    files = plural(len(summary.files), "file")
    title = prose(campaign.title or campaign.name)
    what = f"{title}: {sites} in {files}, by awaken {summary.version}."
    rules = "\n".join(f"- {code(name)}: {prose(words)}" for name, words in summary.rules)
    unsafe = "\n".join(
        f"- {prose(text)}{f' ({number} places)' if number > 1 else ''}"
        for text, number in summary.unsafe
    )
    tests = "\n".join(f"- {prose(row)}" for row in (*summary.tests, *summary.notes))
    manual = "\n".join(f"- [ ] {code(where)}: {prose(text)}" for where, text in summary.manual)
    ticks = max((len(run) + 1 for run in _FENCE.findall(summary.again)), default=3)
    fence = "`" * ticks
    return {
        "what": what,
        "why": prose(campaign.why) if campaign.why else "",
        "rules": f"### Rules\n\n{rules}" if rules else "",
        "unsafe": f"### What may change\n\n{unsafe}" if unsafe else "",
        "tests": f"### Tests\n\n{tests or 'Nothing was verified.'}",
        "manual": f"### Left to people\n\n{manual}" if manual else "",
        "reproduce": f"### The same diff\n\n{fence}sh\n{summary.again}\n{fence}",
        "opt_out": (
            f"No campaign is wanted here? Add a file {code(OPT_OUT)} at the top of the repository; "
            "the next one leaves it alone."
        ),
    }


class Clock:
    """The clocks of the machine, and how to wait; tests have one of their own."""

    def now(self) -> float:
        """Return the time of day, which may jump."""
        return time.time()

    def steady(self) -> float:
        """Return a time that only grows."""
        return time.monotonic()

    def local(self) -> datetime:
        """Return the local time."""
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Pace:
    """Says how long to wait before the next pull request.

    ``earlier`` are the times at which the campaign opened others, by the clock.
    """

    def __init__(
        self, per_hour: int, hours: OfficeHours | None, earlier: Iterable[float], clock: Clock
    ) -> None:
        self._per_hour, self._hours, self._clock = per_hour, hours, clock
        now, steady = clock.now(), clock.steady()
        ages = sorted((max(0.0, now - at) for at in earlier), reverse=True)
        self._opened = deque(steady - age for age in ages if age < HOUR)

    def seconds(self) -> float:
        """Return how long to wait now, 0 if not at all."""
        if self._hours is not None:
            closed = self._hours.seconds_until(self._clock.local())
            if closed:
                return closed
        steady = self._clock.steady()
        while self._opened and self._opened[0] <= steady - HOUR:
            self._opened.popleft()
        if len(self._opened) < self._per_hour:
            return 0.0
        return self._opened[-self._per_hour] + HOUR - steady

    def note(self) -> None:
        """Note that one was opened now."""
        self._opened.append(self._clock.steady())


class Ended(Struct, frozen=True):
    """How publishing ended: approved repositories that are left, and why it stopped, if it did."""

    left: int
    stopped: str = ""


def publish_approved(  # noqa: PLR0913  what a user can say of it
    folder: CampaignFolder,
    manifest: Manifest,
    only: Sequence[str],
    limit: int | None,
    tell: Tell,
    clock: Clock | None = None,
) -> Ended:
    """Publish what is approved and not published yet, and nothing else.

    Raises UserError for a pattern that matches nothing, and while another coordinator works.
    """
    with folder.hold() as log:
        progress = fold(read_log(folder.log)[0])
        waiting = [
            (entry, progress[entry.id])
            for entry in matching(manifest.entries, only)
            if entry.id in progress and _is_wanted(progress[entry.id], manifest)
        ]
        publisher = _Publisher(folder, manifest, log, progress, tell, clock or Clock())
        stopped = ""
        try:
            publisher.begin()
            for entry, known in waiting[:limit]:
                publisher.publish(entry, known)
        except StopError as error:
            stopped = str(error)
        progress = fold(read_log(folder.log)[0])
        left = sum(_is_wanted(progress[entry.id], manifest) for entry, _ in waiting)
    return Ended(left, stopped)


def _is_wanted(known: Progress, manifest: Manifest) -> bool:
    if not known.is_approved or known.result not in READY or known.state in _ENDED:
        return False
    if manifest.publish.host == "none":
        return known.pushed != known.commit
    return not known.is_published


class _Publisher:
    """Publishes repositories of one campaign, each with lines in the log."""

    def __init__(  # noqa: PLR0913  the parts of a campaign
        self,
        folder: CampaignFolder,
        manifest: Manifest,
        log: StateLog,
        progress: dict[str, Progress],
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._folder, self._manifest, self._log = folder, manifest, log
        self._tell, self._clock = tell, clock
        publish = manifest.publish
        earlier = [each.opened_at for each in progress.values() if each.opened_at]
        self._pace = Pace(publish.per_hour, office_hours(publish.hours), earlier, clock)
        self._open = sum(each.state is State.PR_OPEN for each in progress.values())
        self._host: Host | None = None

    def begin(self) -> None:
        """Find the program of the host. Raises StopError."""
        self._host = host_of(self._manifest.publish, self._folder.top)

    def publish(self, entry: Entry, known: Progress) -> None:
        """Publish one repository; what is refused about it is a line in the log.

        Raises StopError.
        """
        try:
            if self._host is None:
                self._export(entry, known)
            else:
                self._request(self._host, entry, known)
        except HostError as error:
            self._note(entry, State.REFUSED, kind=Kind.HOST, message=str(error))
            self._tell(f"{entry.name}: refused: {error}")
        except WaitError as error:
            self._note(entry, State.ERROR, kind=Kind.NETWORK, message=str(error))
            self._tell(f"{entry.name}: error: {error}")

    def _export(self, entry: Entry, known: Progress) -> None:
        place = self._folder.top / "patches"
        place.mkdir(exist_ok=True)
        target = place / f"{entry.id}.patch"
        with replacing(target) as file:
            file.write((self._folder.results(entry.id) / PATCH).read_bytes())
        self._note(entry, State.PUSHED, pushed=known.commit, url=str(target))
        bundle = self._folder.results(entry.id) / BUNDLE
        self._tell(f"{entry.name}: {target}; the branch is in {bundle}")

    def _request(self, host: Host, entry: Entry, known: Progress) -> None:
        facts = self._patiently(lambda: host.facts(entry))
        if facts.archived:
            raise HostError("the repository is archived")
        fork = self._fork(host, entry, known, facts)
        head = f"{fork.partition('/')[0]}:{known.branch}" if fork else known.branch
        marker = marker_of(self._manifest, entry)
        there = self._patiently(lambda: host.find(entry, head, marker))
        if there is not None and there.state != "open":
            self._note_pull_request(entry, there, pushed=there.head, opened=False)
            return
        if there is None:
            self._wait_for_room()
        target = host.push_url(entry, fork)
        self._note(entry, State.APPROVED, pushing=known.commit, fork=fork)
        ours = {*known.pushes, known.commit}
        branch = Branch(
            source=entry.repository.url,
            target=target,
            bundle=self._folder.results(entry.id) / BUNDLE,
            branch=known.branch,
            base=known.base,
            commit=known.commit,
        )
        self._patiently(lambda: push_branch(branch, ours, self._folder.work))
        self._note(entry, State.PUSHED, pushed=known.commit)
        draft = self._draft(host, entry, known, facts, head)
        if there is not None:
            number = there.number
            self._patiently(lambda: host.edit(entry, number, draft.title, draft.body))
            self._note_pull_request(entry, there, pushed=known.commit, opened=not known.number)
            return
        made = self._patiently(
            # After an error of the server nobody knows whether it made one.
            lambda: host.find(entry, head, marker) or host.create(entry, draft)
        )
        self._pace.note()
        self._open += 1
        self._note_pull_request(entry, made, pushed=known.commit, opened=True)

    def _fork(self, host: Host, entry: Entry, known: Progress, facts: Facts) -> str:
        if known.fork:
            return known.fork
        if facts.may_push:
            return ""
        if not self._manifest.publish.forks:
            raise HostError("you may not push to this repository, and forks = false")
        fork = self._patiently(lambda: host.fork(entry))
        self._note(entry, State.APPROVED, fork=fork)
        return fork

    def _draft(self, host: Host, entry: Entry, known: Progress, facts: Facts, head: str) -> Draft:
        campaign = self._manifest.campaign
        place = self._folder.results(entry.id) / SUMMARY
        summary = msgspec.json.decode(place.read_bytes(), type=Summary)
        return Draft(
            base=known.base_branch or facts.default_branch,
            head=head,
            title=campaign.title or f"awaken: {campaign.name}",
            body=request_text(self._manifest, entry, summary, host.longest_body),
            is_draft=self._manifest.publish.draft,
            labels=campaign.labels,
            reviewers=campaign.reviewers,
        )

    # ----------------------------------------------------------------------------------- patience
    def _wait_for_room(self) -> None:
        """Wait until another pull request may be opened. Raises StopError if that is not soon."""
        most = self._manifest.publish.open_at_most
        if most and self._open >= most:
            raise StopError(
                f"{self._open} pull requests are open, and open-at-most is {most}; go on when some "
                "are merged or closed, after `awaken batch status --refresh`"
            )
        seconds = self._pace.seconds()
        if seconds:
            self._tell(f"pausing for {_spoken_text(seconds)}: per-hour and hours say so")
        while seconds:
            self._clock.sleep(min(seconds, _LOOK))
            seconds = self._pace.seconds()

    def _patiently(self, call: Callable[[], _Done]) -> _Done:
        """Do ``call``, again after pauses while the host is not ready for it.

        Raises WaitError when it never is, and StopError for a pause that is too long.
        """
        pause = _FIRST_PAUSE
        for number in range(_TRIES):
            try:
                return call()
            except WaitError as error:
                seconds = error.seconds or pause
                if not error.seconds:
                    pause *= _TIMES
                    if number == _TRIES - 1:
                        raise
                longest = self._manifest.publish.longest_pause
                if seconds > longest:
                    raise StopError(
                        f"{error}; the host asks for a pause of {_spoken_text(seconds)}, "
                        f"and longest-pause is {longest} s"
                    ) from None
                self._tell(f"pausing for {_spoken_text(seconds)}: {error}")
                self._clock.sleep(seconds)
        raise StopError("the host asked for one pause after the other; go on later")

    # ---------------------------------------------------------------------------------------- log
    def _note_pull_request(
        self, entry: Entry, there: PullRequest, *, pushed: str, opened: bool
    ) -> None:
        state = _STATES.get(there.state, State.PR_OPEN)
        self._note(entry, state, pushed=pushed, url=there.url, number=there.number, opened=opened)
        self._tell(f"{entry.name}: {state}: {there.url}")

    def _note(  # noqa: PLR0913  the fields of a line
        self,
        entry: Entry,
        state: State,
        *,
        pushed: str = "",
        pushing: str = "",
        url: str = "",
        number: int = 0,
        opened: bool = False,
        fork: str = "",
        kind: Kind | None = None,
        message: str = "",
    ) -> None:
        record = Record(
            at=round(self._clock.now(), 3),
            repository=entry.id,
            state=state,
            pushed=pushed,
            pushing=pushing,
            url=url,
            number=number,
            opened=opened,
            fork=fork,
            kind=kind,
            message=message,
            cause=cause_of(message) if message else "",
        )
        self._log.append(record)


def _spoken_text(seconds: float) -> str:
    if seconds < HOUR:
        return f"{seconds:.0f} s"
    return time.strftime("%H:%M h", time.gmtime(seconds))
