"""A rewritten file keeps its extended attributes and its ACL, and gets no others."""

from __future__ import annotations

import errno
import os
import struct

import pytest
from small_project import Project

from awaken.engine.baseline import write_baseline
from awaken.engine.machine.filesystem import REAL, FileSystem

ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"


def acl(*entries):
    """Return an ACL as Linux keeps it: tag, permissions, and whom it is about."""
    packed = [struct.pack("<HHI", tag, bits, who) for tag, bits, who in entries]
    return struct.pack("<I", 2) + b"".join(packed)


ANYBODY = 0xFFFFFFFF
FOR_FRIEND = acl(
    (1, 6, ANYBODY), (2, 6, 4321), (4, 4, ANYBODY), (0x10, 6, ANYBODY), (0x20, 0, ANYBODY)
)


def attributes(path):
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_attributes_and_acl_survive_apply_and_undo(project):
    place = project.root / "a.py"
    os.setxattr(place, "user.origin", b"mars")
    os.setxattr(place, ACL, FOR_FRIEND)
    before = attributes(place), place.stat().st_mode
    assert before[0] == {"user.origin": b"mars", ACL: FOR_FRIEND}

    project.apply(REAL)
    assert (attributes(place), place.stat().st_mode) == before
    project.undo(REAL)
    assert (attributes(place), place.stat().st_mode) == before


def test_what_a_directory_hands_on_to_new_files_does_not_come_in(project):
    os.setxattr(project.root, DEFAULT_ACL, FOR_FRIEND)
    place = project.root / "a.py"
    mode = place.stat().st_mode

    project.apply(REAL)

    assert (attributes(place), place.stat().st_mode) == ({}, mode)


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.ENOTSUP])
def test_what_may_not_be_set_is_left_out(project, monkeypatch, code):
    os.setxattr(project.root / "a.py", "user.origin", b"mars")

    def refuse(*_):
        raise OSError(code, "no")

    monkeypatch.setattr(os, "setxattr", refuse)
    project.apply(REAL)

    assert attributes(project.root / "a.py") == {}


def test_a_disk_that_has_no_room_for_them_is_an_error(project, monkeypatch):
    os.setxattr(project.root / "a.py", "user.origin", b"mars")

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "setxattr", refuse)

    with pytest.raises(OSError, match="No space"):
        FileSystem().copy_attributes(os.open(os.devnull, os.O_RDONLY), project.root / "a.py")


def test_a_baseline_keeps_them_as_well(tmp_path):
    file = tmp_path.resolve() / "awaken-baseline.json"
    file.touch()
    os.setxattr(file, "user.origin", b"mars")

    write_baseline(file, [])

    assert attributes(file) == {"user.origin": b"mars"}
