"""What becomes of one site, and of groups: all of their sites are rewritten, or none."""

from __future__ import annotations

from kit_programs import BESIDE, STAYS, sites

from awaken.contract import Constraints, Level
from awaken.kit.changes import (
    Member,
    connected_groups,
    decide,
    decide_group,
    plan_of,
    refused_together,
    rewritten_together,
)
from awaken.kit.sites import Refused, Rewrite

FILES = {"b.py": "wait(3)\n", "a.py": "wait(1)\nwait(2)\n"}


def member(site, *caveats, refused=None):
    shown = site.module.text_of(site.node)
    if refused is not None:
        return Member(site, refused, shown)
    return Member(site, Rewrite("it goes", [site.replace(site.node, "pause()")], caveats), shown)


def said(decided):
    return [(one.place.path, one.level, one.message) for one in decided.findings]


def test_a_site_is_a_change_of_its_own():
    site = sites(FILES)[0]

    def rewrite(one, text):
        return Rewrite("it goes", [one.replace(one.node, text)])

    decided = decide(site, rewrite, "pause()")

    assert [(one.level, one.message) for one in decided.findings] == [(Level.SAFE, "it goes")]
    (change,) = decided.changes
    assert change.id == decided.findings[0].change == f"waits:{site.id}"
    assert change.sites == (site.id,)
    assert [one.text for one in change.edits] == ["pause()"]


def test_caveats_make_a_rewrite_unsafe():
    decided = decide(sites(FILES)[0], lambda _: Rewrite("it goes", [], ["it may fail"]))

    assert said(decided) == [("b.py", Level.UNSAFE, "it goes; it may fail")]
    assert decided.changes[0].level is Level.UNSAFE


def test_a_refused_site_is_manual():
    site = sites(FILES)[0]

    def rewrite(_):
        raise Refused(STAYS, "wait", because=(site.place,))

    (finding,) = decide(site, rewrite).findings
    assert (finding.level, finding.reason) == (Level.MANUAL, "waits/stays")
    assert (finding.message, finding.help) == ("`wait` stays", "Move it.")
    assert finding.related == (site.place,)
    assert finding.change is None


def test_sites_rewritten_together_are_one_change_named_after_the_first():
    found = sites(FILES)
    related = (found[1].place,)

    decided = rewritten_together(found, Rewrite("they go", [], related=related))

    (change,) = decided.changes
    assert change.sites == tuple(one.id for one in found)
    assert change.id == f"waits:{found[0].id}"
    assert {one.change for one in decided.findings} == {change.id}
    assert {one.related for one in decided.findings} == {related}


def test_sites_refused_together_have_one_reason():
    decided = refused_together(sites(FILES), Refused(STAYS, "wait"))

    assert {one.reason for one in decided.findings} == {"waits/stays"}
    assert decided.changes == ()


def test_a_group_is_one_change_with_all_edits_and_caveats():
    third, first, second = sites(FILES)
    group = [member(third, "a", "b"), member(first, "b"), member(second)]

    decided = decide_group(group, Constraints(), BESIDE)

    (change,) = decided.changes
    assert change.sites == (first.id, second.id, third.id)
    assert [edit.path for edit in change.edits] == ["a.py", "a.py", "b.py"]
    assert {one.message for one in decided.findings} == {"it goes; b; a"}
    assert [one.related for one in decided.findings] == [
        (second.place, third.place),
        (first.place,),
        (first.place,),
    ]


def test_one_refused_site_keeps_its_group_back():
    third, first, second = sites(FILES)
    refused = member(second, refused=Refused(STAYS, "wait"))

    decided = decide_group([member(third), member(first), refused], Constraints(), BESIDE)

    assert said(decided) == [
        ("a.py", Level.MANUAL, "wait(2) stays"),
        ("a.py", Level.MANUAL, "`wait` stays"),
        ("b.py", Level.MANUAL, "wait(2) stays"),
    ]
    assert decided.findings[0].related == (second.place,)
    assert decided.changes == ()


def test_the_first_place_is_named_whoever_is_found_first():
    third, first, second = sites(FILES)
    group = [
        member(third, refused=Refused(STAYS, "third")),
        member(first),
        member(second, refused=Refused(STAYS, "second")),
    ]

    assert decide_group(group, Constraints(), BESIDE) == decide_group(
        group[::-1], Constraints(), BESIDE
    )
    assert said(decide_group(group, Constraints(), BESIDE))[0][2] == "wait(2) stays"


def test_a_site_left_out_keeps_its_level_and_the_others_stay():
    third, first, second = sites(FILES)
    group = [member(third), member(first, "it may fail"), member(second)]

    decided = decide_group(group, Constraints(excluded=frozenset({first.id})), BESIDE)

    assert sorted(said(decided)) == [
        ("a.py", Level.MANUAL, "wait(1) stays"),
        ("a.py", Level.UNSAFE, "it goes; it may fail"),
        ("b.py", Level.MANUAL, "wait(1) stays"),
    ]
    assert [one.sites for one in decided.changes] == [(first.id,)]


def test_two_members_of_a_site_are_one_finding_and_one_change():
    third, first, _ = sites(FILES)
    again = Member(first, Rewrite("it rests", [first.replace(first.node, "rest()")], ["b"]))
    group = [member(third), member(first, "a"), again]

    together = decide_group(group, Constraints(), BESIDE)
    apart = decide_group(group, Constraints(excluded=frozenset({first.id})), BESIDE)

    assert said(together)[0][2] == "it goes; it rests; a; b"
    assert len(together.changes[0].edits) == len(group)
    assert together.changes[0].sites == (first.id, third.id)
    assert [change.sites for change in apart.changes] == [(first.id,)]
    assert len(apart.changes[0].edits) == len(group) - 1


def test_a_plan_has_one_finding_per_site():
    site = sites(FILES)[0]
    refused = refused_together([site], Refused(STAYS, "wait"))
    rewritten = rewritten_together([site], Rewrite("it goes", []))

    plan = plan_of([refused, rewritten])

    assert plan.findings == rewritten.findings
    assert plan.changes == rewritten.changes


def test_connected_keys_are_one_group_in_the_order_of_the_keys():
    links = [("d", "b"), ("a", "gone"), ("b", "e")]

    assert connected_groups("abcde", links) == [["a"], ["b", "d", "e"], ["c"]]
    assert connected_groups("abcde", links[::-1]) == connected_groups("abcde", links)
