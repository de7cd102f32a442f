"""What waits for a rule of an earlier phase."""

from __future__ import annotations

from awaken.contract import (
    ChangeId,
    Finding,
    Level,
    Outline,
    OutlinePart,
    OutlineRow,
    Phase,
    Place,
    Plan,
    Reason,
    SiteId,
    Span,
)
from awaken.engine.waiting_sites import told_findings
from awaken.kit.rule import Rule


class Later(Rule):
    name = "later"
    family = "x"
    phase = Phase.SESSIONS
    reasons = (Reason("legacy", "`{}` has no twin", "Mend it.", "earlier"), Reason("no", "no", ""))

    def plan(self, _project, _constraints):
        return Plan()


def finding(rule, span, **values):
    level = Level.UNSAFE if "change" in values else Level.MANUAL
    defaults = {"site": SiteId(f"{rule} {span}"), "scope": "", "message": "said", "help": "Do it."}
    place = Place("a.py", Span(*span))
    return Finding(**{**defaults, "rule": rule, "level": level, "place": place, **values})


LEGACY = finding("later", (0, 90), reason="later/legacy", related=(Place("a.py", Span(40, 50)),))
WAITING = finding("earlier", (44, 60), change=ChangeId("c"))


def told_of(*findings, pending=("c",)):
    return told_findings([Later()], findings, (), pending)[0]


def test_what_only_waits_to_be_allowed_says_so():
    legacy, _ = told_of(LEGACY, WAITING)

    assert legacy.message == "said; earlier rewrites it first, with --unsafe-fixes"
    assert legacy.help == "Run both rules with `--unsafe-fixes`: earlier comes first."


def test_what_the_other_rule_leaves_as_well_says_why():
    left = finding("earlier", (44, 60), reason="earlier/no", message="it is odd", help="See to it.")
    legacy, *_ = told_of(LEGACY, WAITING, left)

    assert (legacy.message, legacy.help) == (
        "said, and earlier leaves it alone: it is odd",
        "See to it.",
    )


def test_what_has_nothing_to_do_with_it_changes_nothing():
    beside = finding("earlier", (0, 10), change=ChangeId("c"))
    other = finding("later", (0, 90), reason="later/no", related=(Place("a.py", Span(40, 50)),))

    assert told_of(LEGACY, beside)[0] == LEGACY
    assert told_of(LEGACY)[0] == LEGACY
    assert told_of(other, WAITING)[0] == other


def test_a_plan_counts_the_places_that_only_wait():
    rows = (OutlineRow("one", 4, LEGACY.place), OutlineRow("two", 2, Place("a.py", Span(1, 2))))
    stops = OutlinePart("stops", "Stopped by", rows)
    outline = Outline(rule="later", title="it stays", parts=(stops,), sites=(LEGACY.site,))
    _, (found,) = told_findings([Later()], (LEGACY, WAITING), (outline,), {ChangeId("c")})

    waits, kept = found.parts
    assert [(row.text, row.count) for row in waits.rows] == [
        ("of these places, which earlier rewrites first, with --unsafe-fixes", 1)
    ]
    assert kept == stops
