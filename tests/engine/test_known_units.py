"""Which kept plans hold for the files of a later run."""

from __future__ import annotations

import pytest
from msgspec import structs

from awaken import api
from awaken.codemods.sqlalchemy.query_to_select.plan import Options
from awaken.contract import Constraints, Plan
from awaken.engine.planning.rule_planning import Planned
from awaken.engine.remembering.known_texts import KnownTexts
from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.report import Diagnostic
from awaken.engine.units.known_units import StageUnits, Unit
from awaken.kit.rule import NoOptions
from awaken.project.source.looked_at import LookedAt, Search
from awaken.workspace.sources import Snapshot, decode

UNIT = Unit(api.rules()[0], Constraints())
ON_DISK = decode("a.py", b"x = 1\n")


def stage(known, text):
    """Return the units of a stage in which an earlier phase wrote ``text``."""
    edited = structs.replace(ON_DISK, text=text)
    files = Snapshot({"a.py": edited})
    return StageUnits(known, files, b"", {"a.py": ON_DISK}, KnownTexts(ResultsCache()))


def test_a_plan_holds_only_for_what_an_earlier_phase_wrote():
    """The edited file keeps the digest of the bytes on disk."""
    units = stage(None, b"x = 2\n")
    units.keep(UNIT, Planned(Plan(), looked_at=LookedAt(read={"a.py"})))
    known = units.to_keep()
    assert stage(known, b"x = 2\n").recall(UNIT) is not None
    assert stage(known, b"x = 3\n").recall(UNIT) is None


class Program:
    """A program of which ``site.py`` is planned, and ``read.py`` is read."""

    def __init__(self, cache):
        self.texts = KnownTexts(cache)
        self.files = {path: decode(path, b"x = 1\n") for path in ("read.py", "site.py")}

    def stage(self, known, edits):
        files = self.files | {path: decode(path, text) for path, text in edits.items()}
        return StageUnits(known, Snapshot(files), b"", files, self.texts)

    def plan(self, message=""):
        """Return the known units after a plan with a diagnostic."""
        units = self.stage(None, {})
        diagnostics = (Diagnostic("site.py", 1, message),) if message else ()
        looked_at = LookedAt(read={*self.files})
        looked_at.note_search(Search("bytes", b"shop"), [])
        units.keep(OF_SITE, Planned(Plan(), diagnostics, looked_at=looked_at))
        return units.to_keep()


OF_SITE = UNIT.in_file("site.py")


@pytest.fixture
def program(tmp_path):
    return Program(ResultsCache(tmp_path / "a" / "b" / "c", b"key"))


@pytest.mark.parametrize("text", [b"# said\nx = 1\n", b"x = 1  # said\n", b"\n\nx = 1\n\n"])
def test_comments_and_blank_lines_of_a_file_that_was_read_change_nothing(program, text):
    known = program.plan()
    units = program.stage(known, {"read.py": text})
    assert units.recall(OF_SITE) is not None
    again = units.to_keep()
    assert program.stage(again, {"read.py": text + b"# again\n"}).recall(OF_SITE) is not None
    assert program.stage(again, {"read.py": text + b"x = 2\n"}).recall(OF_SITE) is None


@pytest.mark.parametrize(
    ("message", "edits"),
    [
        ("", {"read.py": b"x = 2\n"}),
        ("", {"read.py": b"x = 1  # shop\n"}),
        ("", {"site.py": b"x = 1  # said\n"}),
        ("as read.py:1 says", {"read.py": b"\nx = 1\n"}),
    ],
)
def test_a_plan_depends_on_code_and_searches_and_on_the_lines_that_it_names(
    program, message, edits
):
    assert program.stage(program.plan(message), {}).recall(OF_SITE) is not None
    assert program.stage(program.plan(message), edits).recall(OF_SITE) is None


def test_without_the_text_before_a_comment_counts(program):
    known = program.plan()
    program.texts = KnownTexts(ResultsCache())
    assert program.stage(known, {"read.py": b"x = 1  # said\n"}).recall(OF_SITE) is None


@pytest.mark.parametrize("rule", [rule for rule in api.rules() if rule.options is not NoOptions])
def test_default_options_that_are_not_loaded_yet_are_the_same_unit(rule):
    unloaded, loaded = (
        Unit(rule, Constraints(options=options)) for options in (NoOptions(), rule.options())
    )
    assert unloaded.key() == loaded.key()


def test_other_options_are_another_unit():
    by_hand = Unit(UNIT.rule, Constraints(options=Options(mocks_by_hand=True)))
    assert by_hand.key() != UNIT.key()
