"""Steps of reads: what an object of another class has no attribute for is not read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step

LINE = SimpleNamespace(item=SimpleNamespace(shelf="low"))
OTHER = SimpleNamespace()
STEP = Step("line.item", "shelf", (), part="line.item")


@pytest.mark.parametrize(("line", "shelf"), [(LINE, "low"), (OTHER, False)])
def test_a_part_is_read_where_it_is_there(line, shelf):
    assert eval(STEP.code, {"line": line}) == shelf


@pytest.mark.parametrize(("line", "is_there"), [(LINE, True), (OTHER, False)])
def test_a_guard_comes_first(line, is_there):
    assert eval(f"{STEP.guard}line.item is not None", {"line": line}) is is_there


def test_a_step_of_known_classes_needs_no_guard():
    assert not Step("line.item", "shelf", ()).guard
