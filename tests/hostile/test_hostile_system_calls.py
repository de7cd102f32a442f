"""Every command over the hostile repository, as the system sees it where strace is at hand."""

from __future__ import annotations

import pytest
from bounds import READING, WRITING, may_be_read, may_be_written
from build import build
from runs import run, tracer_to

pytestmark = pytest.mark.slow
_CHANGED_BY_NOBODY = {"read", "execve", "execveat", "connect", "symlink", "symlinkat"}


def test_the_system_is_asked_for_nothing_outside(tmp_path):
    place = build(tmp_path)
    directory = tmp_path / "watched"

    watched = run(place, (*READING, *WRITING), directory, tracer_to(directory))

    assert {command.code for command in watched.commands} <= {0, 1, 2}
    assert not place.ran.exists()
    started = {one.path for one in watched.seen if one.kind.startswith("execve")}
    assert {path for path in started if path.startswith(f"{place.top}/")} == set()
    read = {one for one in watched.seen if one.kind == "read"}
    assert {one.path for one in read if not may_be_read(one, place)} == set()
    changed = {one for one in watched.seen if one.kind not in _CHANGED_BY_NOBODY}
    assert {(one.kind, one.path) for one in changed if not may_be_written(one, place)} == set()
    if tracer_to(directory):
        assert started
        assert changed
