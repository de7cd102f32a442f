"""Two runs on one tree exclude each other; the dead hold nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from awaken.engine.machine.apply_errors import StateDirectoryError, TreeLockedError
from awaken.engine.writing import lock
from awaken.engine.writing.lock import hold, holder, overlaps

ROOT = Path("/projects/one")

HOLD_FOR_EVER = """
import sys, time
from pathlib import Path
from awaken.engine.writing.lock import hold
with hold(Path(sys.argv[1]), Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def locks(tmp_path):
    return tmp_path / "locks"


@pytest.fixture
def other_process(locks):
    """Another process that holds ROOT."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_FOR_EVER, str(ROOT), str(locks)], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("root", [ROOT, ROOT / "inner/deep", ROOT.parent, Path("/")])
def test_the_same_root_and_nested_ones_exclude_each_other(locks, root):
    with (
        hold(ROOT, locks),
        pytest.raises(TreeLockedError, match=f"process {os.getpid()}, since 2"),
        hold(root, locks),
    ):
        pytest.fail("held twice")

    with hold(root, locks):
        assert holder(ROOT, locks).process == os.getpid()


@pytest.mark.parametrize("root", ["/projects/two", "/projects/one2", "/projects/on"])
def test_other_roots_are_free(locks, root):
    with hold(ROOT, locks), hold(Path(root), locks):
        assert len(list(locks.glob("*.lock"))) == 2

    assert not overlaps(ROOT, Path(root))


def test_nothing_is_left_after_use(locks):
    with pytest.raises(ZeroDivisionError), hold(ROOT, locks):
        raise ZeroDivisionError

    assert [path.name for path in locks.iterdir()] == ["gate"]
    assert holder(ROOT, locks) is None


def test_no_directory_means_no_holder(locks):
    assert holder(ROOT, locks) is None
    assert not locks.exists()


def test_another_process_excludes_us_until_it_dies(locks, other_process):
    with pytest.raises(TreeLockedError, match=f"process {other_process.pid}"), hold(ROOT, locks):
        pytest.fail("held twice")
    assert holder(ROOT / "inner", locks).process == other_process.pid

    other_process.kill()
    other_process.wait()

    with hold(ROOT, locks):
        assert len(list(locks.glob("*.lock"))) == 1


def test_an_error_of_the_caller_is_not_ours(locks):
    with pytest.raises(FileNotFoundError, match="of the caller"), hold(ROOT, locks):
        raise FileNotFoundError("of the caller")


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(StateDirectoryError, match="AWAKEN_STATE_DIR"),
        hold(ROOT, tmp_path / "file/locks"),
    ):
        pytest.fail("held without a lock")


def test_a_lock_of_an_unknown_kind_is_respected(locks):
    with hold(ROOT, locks):
        next(locks.glob("*.lock")).write_bytes(b"?")
        with pytest.raises(TreeLockedError, match="another version"), hold(Path("/x"), locks):
            pytest.fail("held against an unknown lock")


def test_who_holds_a_lock_is_read_without_the_byte_that_is_locked(locks):
    with hold(ROOT, locks):
        with next(locks.glob("*.lock")).open("r+b") as file:
            file.write(b"?")

        assert holder(ROOT, locks).process == os.getpid()


def test_a_busy_gate_is_waited_for_but_not_for_ever(locks, monkeypatch):
    monkeypatch.setattr(lock, "_GATE_SECONDS", 0.05)
    locks.mkdir()
    gate = os.open(locks / "gate", os.O_RDWR | os.O_CREAT)
    assert lock._try_lock(gate)

    with pytest.raises(TreeLockedError, match="busy"), hold(ROOT, locks):
        pytest.fail("held through a closed gate")

    os.close(gate)
    with hold(ROOT, locks):
        assert holder(ROOT, locks)
