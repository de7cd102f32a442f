"""gather-to-taskgroup, on every shape that the specification of the rewrite gives a template.

A rewritten coroutine does the same in every run, but that a failure cancels what runs beside it; a
refused one stays, for the reason that the specification gives.
"""

from __future__ import annotations

from textwrap import dedent, indent

from gathers import HEAD, REWRITTEN, STAYS
from msgspec.structs import replace
from two_sides import STEPS, program_in, two_sides

from awaken.contract import Level
from awaken.testing import assert_same_concurrency, run_case
from awaken.testing.running import diagnostics_of

RULE = "gather-to-taskgroup"
ALONE = {"empty_list", "one_argument"}
"""Nothing runs beside what fails, so nothing is cancelled."""


def made_of(text, **settings):
    """Return what the rule makes of one file."""
    sides = two_sides(text, text, program_in(STEPS), rule=RULE, unsafe=True, **settings)
    result = run_case(replace(sides.case, settings=replace(sides.case.settings, unsafe=True)))
    assert not diagnostics_of(result)
    return result


def functions(bodies, parameters=""):
    return "\n\n".join(
        f"async def case_{name}({parameters}):\n{indent(dedent(body).strip(), '    ')}\n"
        for name, body in bodies.items()
    )


def test_every_shape_is_rewritten_and_does_the_same():
    cancels = tuple(f"case_{name}" for name in REWRITTEN.keys() - ALONE)
    result = made_of(f"{HEAD}\n\n{functions(REWRITTEN)}", cancels=cancels)
    assert {one.level for one in result.findings} == {Level.UNSAFE}
    assert b"gather(" not in result.files["case.py"]
    assert_same_concurrency(result)


def test_what_cannot_be_rewritten_stays_and_says_why():
    bodies = {f"stays_{index}": body for index, body in enumerate(STAYS.values())}
    result = made_of(f"{HEAD}\n\n{functions(bodies, 'given: AsyncSession')}")
    reasons = {
        one.scope: (one.reason or "").removeprefix(f"{RULE}/")
        for one in (*result.report.findings, *result.report.explained_only)
    }
    wanted = dict(zip(bodies, (code.partition("/")[0] for code in STAYS), strict=True))
    assert {f"case_{name}": code for name, code in wanted.items()} == {
        name: code for name, code in reasons.items() if name.startswith("case_stays")
    }
    assert result.files["case.py"].count(b"asyncio.gather") == len(STAYS)
