"""The log of a campaign: torn lines, full disks, two coordinators, and clocks that jump."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from awaken.batch.manifest.office_hours import office_hours
from awaken.batch.publishing.publishing import Clock, Pace
from awaken.batch.state.campaign_folder import CampaignFolder
from awaken.batch.state.records import Counts, Kind, Record, State
from awaken.batch.state.repository_progress import fold
from awaken.batch.state.selecting import shard_of
from awaken.batch.state.state_log import StateLog, merged_records, read_log
from awaken.contract import UserError


def line(name, state, at=1.0, **more):
    return Record(at=at, repository=name, state=state, **more)


def ready(name, patch="p", **more):
    return line(name, State.CHANGED, key="k", patch=patch, commit="c", **more)


@pytest.mark.parametrize(
    "torn", [b'{"at":1', b"\xff", b'{"at":1.0,"repository":"b","state":"error"}']
)
def test_a_torn_last_line_says_nothing_and_is_cut_off(tmp_path, torn):
    path = tmp_path / "state.jsonl"
    log = StateLog(path)
    log.append(ready("a"))
    log.close()
    with path.open("ab") as file:
        file.write(torn)
    assert [record.repository for record in read_log(path)[0]] == ["a"]
    log = StateLog(path)
    log.append(ready("b"))
    log.close()
    records, unread = read_log(path)
    assert [record.repository for record in records] == ["a", "b"]
    assert unread == []


def test_a_line_that_says_nothing_costs_only_itself(tmp_path):
    path = tmp_path / "state.jsonl"
    log = StateLog(path)
    log.append(ready("a"))
    log.close()
    path.write_bytes(b"garbage\n" + path.read_bytes())
    records, unread = read_log(path)
    assert len(records) == 1
    assert unread == [1]


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "state.jsonl"
    log = StateLog(path)
    log.append(ready("a"))
    before = path.read_bytes()
    real = os.write

    def half(descriptor, content):
        if len(content) < 40:
            raise OSError(28, "No space left on device")
        return real(descriptor, content[: len(content) - 30])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(UserError, match="No space left on device; make room"):
        log.append(ready("b"))
    monkeypatch.undo()
    assert path.read_bytes() == before
    log.append(ready("c"))
    assert [record.repository for record in read_log(path)[0]] == ["a", "c"]


def test_a_second_coordinator_refuses_and_names_the_first(tmp_path):
    folder = CampaignFolder(tmp_path)
    with folder.hold(), pytest.raises(UserError, match=f"process {os.getpid()} on "):
        CampaignFolder(tmp_path).hold().__enter__()
    with folder.hold():
        pass


def test_the_order_is_that_of_lines_whatever_the_clock_says():
    known = fold(
        [line("a", State.WAITING, at=9e9), ready("a", at=5.0), line("a", State.PR_OPEN, at=-1)]
    )
    assert known["a"].state is State.PR_OPEN
    assert known["a"].result is State.CHANGED


def test_an_approval_is_for_a_patch():
    approval = line("a", State.APPROVED, approved="p")
    assert fold([ready("a"), approval])["a"].is_approved
    assert fold([ready("a"), approval, ready("a")])["a"].display_state is State.APPROVED
    assert not fold([ready("a"), approval, ready("a", patch="q")])["a"].is_approved
    assert not fold([ready("a"), approval, line("a", State.CHANGED)])["a"].is_approved


def test_an_error_keeps_what_it_was_and_a_result_ends_it():
    failed = line("a", State.ERROR, key="k", kind=Kind.NETWORK, message="m", cause="c")
    known = fold([failed])["a"]
    assert (known.kind, known.message, known.cause) == (Kind.NETWORK, "m", "c")
    known = fold([failed, ready("a", counts=Counts(safe=2))])["a"]
    assert (known.kind, known.message, known.counts.safe) == (None, "", 2)


def test_merging_twice_is_merging_once():
    first = [ready("a"), ready("b")]
    assert list(merged_records(first, first)) == []
    assert list(merged_records(first[:1], first)) == first[1:]


@pytest.mark.parametrize("text", ["0/3", "4/3", "a", "1/0", "-1/2"])
def test_a_shard_that_is_none(text):
    with pytest.raises(UserError, match="is no shard"):
        shard_of(text)


class FakeClock(Clock):
    def __init__(self, now=1e6, steady=0.0):
        self.time, self.grown = now, steady

    def now(self):
        return self.time

    def steady(self):
        return self.grown

    def local(self):
        return datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_an_hour_holds_so_many_and_no_more():
    clock = FakeClock()
    pace = Pace(2, None, [clock.time - 600], clock)
    assert pace.seconds() == 0
    pace.note()
    assert pace.seconds() == 3000
    clock.grown += 3000
    assert pace.seconds() == 0


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_a_clock_that_jumps_costs_an_hour_at_most(jump):
    clock = FakeClock()
    pace = Pace(1, None, [clock.time - jump], clock)
    assert 0 <= pace.seconds() <= 3600
    pace.note()
    clock.time += jump
    assert pace.seconds() == 3600
    clock.grown += 3600
    assert pace.seconds() == 0


@pytest.mark.parametrize(
    ("hours", "seconds"),
    [
        ("Mon-Fri 09:00-17:00", 0),
        ("09:00-11:00", 21 * 3600),
        ("Wed 09:00-17:00", 21 * 3600),
        ("Sat-Mon 12:00-13:00", 4 * 24 * 3600),
        ("13:30-14:00", 5400),
    ],
)
def test_office_hours(hours, seconds):
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
    assert office_hours(hours).seconds_until(noon) == seconds


@pytest.mark.parametrize(
    "text", ["9-17", "Mon-Fri", "Xyz 09:00-17:00", "17:00-09:00", "25:00-26:00"]
)
def test_hours_that_are_none(text):
    with pytest.raises(UserError, match="office hours"):
        office_hours(text)
