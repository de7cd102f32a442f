"""A program before and after, as a case and what a rule made of it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from awaken.testing import Case
from awaken.testing.cases import Settings

STEPS = Path(__file__).parents[1] / "fixtures" / "asyncio" / "_programs" / "steps"


class Result(Struct):
    """The two things that a comparison reads of a result."""

    case: Case
    files: dict[str, bytes]


def program_in(directory):
    """Return the files of a shared program."""
    return {path.name: path.read_bytes() for path in directory.glob("*.py")}


def two_sides(before, after, program, *, rule="rule", **settings):
    """Return two texts of ``case.py`` beside ``program`` as a result of a rule."""
    sides = [{**program, "case.py": text.encode()} for text in (before, after)]
    case = Case(
        name="it",
        family="family",
        rule=rule,
        directory=Path(),
        settings=Settings(**settings),
        before=sides[0],
        after=sides[1],
        program=program,
    )
    return Result(case, sides[1])
