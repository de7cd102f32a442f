"""Markers of findings in fixtures, and writing them anew."""

from __future__ import annotations

import re

import pytest

from awaken.contract import Level
from awaken.testing import CaseError, accept, assert_expected, load_cases, run_case
from awaken.testing.cases import Marked, read_markers, write_markers

SAFE = Marked(1, Level.SAFE)
MANUAL = Marked(1, Level.MANUAL, "passed-query")


@pytest.mark.parametrize(
    ("program", "marked", "found"),
    [
        (b"a = 1\n", b"a = 1  #~ safe\n", [SAFE]),
        (b"a = 1\r\nb = 2", b"a = 1  #~ safe\r\nb = 2", [SAFE]),
        (b"a = 1", b"a = 1  #~ manual passed-query, safe", [MANUAL, SAFE]),
        (
            b"a = 1  # why\n",
            b"a = 1  # why  #~ manual engine/held-back\n",
            [Marked(1, Level.MANUAL, "engine/held-back")],
        ),
        (b"\n\nf(\n    x,\n)\n", b"\n\nf(\n    x,  #~ unsafe\n)\n", [Marked(4, Level.UNSAFE)]),
    ],
)
def test_a_marker_is_no_part_of_the_program(program, marked, found):
    assert read_markers(marked) == (program, tuple(found))
    assert write_markers(program, found) == (marked, ())


@pytest.mark.parametrize(
    "program", [b"a = 1  # safe\n", b"a = '#~ sure' + b\n", b"a = '#~ safe' + b\n"]
)
def test_other_comments_and_strings_stay(program):
    assert read_markers(program) == (program, ())


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        (b"sure", "line 2: `sure` is no level: write one of safe, unsafe, manual, advice"),
        (b"safe, sure why", "line 2: `sure` is no level"),
        (b"manual two reasons", "line 2: `#~ manual two reasons` is no marker"),
        (b"safe ", "line 2: `#~ safe ` is no marker"),
        (b"", "line 2: `` is no level"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
def test_a_mistyped_marker_is_an_error(marker, said, end):
    with pytest.raises(ValueError, match=re.escape(said)):
        read_markers(b"a = 1  #~ safe\nb = 2  #~ " + marker + end)


@pytest.mark.parametrize("program", [b"a = '''x\n'''\n", b"a = 1 + \\\n    2\n", b"def f(:\n"])
def test_a_line_without_room_for_a_comment_is_left(program):
    assert write_markers(program, [SAFE]) == (program, (SAFE,))


@pytest.fixture
def case(tmp_path):
    """Return the directory of a case of a real rule, before anything is expected of it."""
    directory = tmp_path / "fixtures/testing/httpx-asgi-transport/case"
    directory.mkdir(parents=True)
    (directory / "case.toml").write_text('rows = ["X1"]\nexpect = [{ line = 9, level = "safe" }]\n')
    (directory / "before.py").write_text(
        "from fastapi import FastAPI\n"
        "from httpx import AsyncClient\n\n"
        "app = FastAPI()\n"
        'client = AsyncClient(app=app, base_url="http://test")\n'
    )
    return directory


def test_what_is_accepted_is_expected_from_then_on(case):
    (loaded,) = load_cases(case)
    result = run_case(loaded)
    with pytest.raises(AssertionError):
        assert_expected(result)

    shown = accept(result)

    assert (case / "case.toml").read_text() == 'rows = ["X1"]\n'
    assert '"http://test")  #~ safe\n' in (case / "before.py").read_text()
    assert "ASGITransport(app=app)" in (case / "after.py").read_text()
    assert "#~" not in (case / "after.py").read_text()
    assert "+client = AsyncClient(app=app" in shown
    (again,) = load_cases(case)
    assert_expected(run_case(again))
    assert accept(run_case(again)) == ""


def test_one_level_for_all_stays_where_it_holds(case):
    (case / "case.toml").write_text('level = "safe"\n')
    accept(run_case(load_cases(case)[0]))
    assert (case / "case.toml").read_text() == 'level = "safe"\n'
    assert "#~" not in (case / "before.py").read_text()


def test_markers_beside_one_level_are_refused(case):
    (case / "case.toml").write_text('level = "safe"\n')
    (case / "before.py").write_text("a = 1  #~ safe\n")
    with pytest.raises(CaseError, match="markers or `level`"):
        load_cases(case)
