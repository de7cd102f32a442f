"""Which rules run, and in which order."""

from __future__ import annotations

from types import ModuleType

import pytest

from awaken.contract import Phase, Status
from awaken.engine.planning import rule_discovery
from awaken.engine.planning.rule_discovery import all_rules, in_running_order
from awaken.kit.call_rule import CallRule
from awaken.kit.rule import Rule
from awaken.settings import Settings
from awaken.settings.selection import UnknownRule, choose, require_known


def rule(name, family="sqlalchemy", phase=Phase.QUERIES, after=(), *, status=Status.DEFAULT):
    return type(
        name,
        (Rule,),
        {"name": name, "family": family, "phase": phase, "after": after, "status": status},
    )()


QUERY = rule("query-to-select")
LIFESPAN = rule("on-event-to-lifespan", "fastapi", Phase.LIFESPAN)
NEW = rule("lazy-raise", phase=Phase.LOADING, status=Status.PREVIEW)
RULES = [LIFESPAN, QUERY, NEW]


def names(rules):
    return [r.name for r in rules]


def chosen(select=None, ignore=()):
    """Return the rules that one layer selects."""
    running = choose(RULES, [("", Settings(select=select, ignore=ignore))]).rules
    return [one for one in RULES if one.name in running]


def test_without_selection_every_rule_out_of_preview_runs_in_phase_order():
    assert names(in_running_order(chosen())) == [
        "query-to-select",
        "on-event-to-lifespan",
    ]


def test_a_family_selects_its_rules_but_none_in_preview():
    assert names(chosen(("sqlalchemy",))) == ["query-to-select"]


def test_a_rule_in_preview_runs_when_named():
    assert names(chosen(("lazy-raise",))) == ["lazy-raise"]


def test_ignore_wins_over_select():
    assert names(chosen(("ALL",), ("fastapi",))) == ["query-to-select"]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("query-to-selct", "'query-to-select'"),
        ("sqlalchmy", "'sqlalchemy'"),
        ("zzz", "awaken rules"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(asked, hint):
    with pytest.raises(UnknownRule, match=asked) as caught:
        require_known(asked, RULES)

    assert hint in str(caught.value)


def test_within_a_phase_a_rule_runs_after_those_it_names():
    first, second = rule("b-first"), rule("a-second", after=("b-first", "not-selected"))

    assert names(in_running_order([second, first])) == ["b-first", "a-second"]


def test_rules_that_wait_for_each_other_are_an_error():
    with pytest.raises(ValueError, match="wait for each other"):
        in_running_order([rule("x", after=("y",)), rule("y", after=("x",))])


def test_the_built_in_rules_are_found():
    assert "query-to-select" in names(all_rules())


@pytest.mark.parametrize("missing", ["name", "family", "phase"])
def test_a_rule_that_lacks_an_attribute_is_named_with_it(missing, monkeypatch):
    said = {"name": "half", "family": "tests", "phase": Phase.TIDY}
    del said[missing]
    module = ModuleType("half")
    module.Half = type("Half", (Rule,), {"__module__": "half", **said})
    monkeypatch.setattr(rule_discovery, "_modules", lambda: [module])

    with pytest.raises(TypeError, match=rf"^the rule half\.Half has no `{missing}`$"):
        all_rules.__wrapped__()


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("sqlalchemy.orm.session.sessionmaker", "sqlalchemy.orm.sessionmaker"),
        ("sqlalchemy.sql.func.count", "sqlalchemy.func.count"),
        ("open", "builtins.open"),
    ],
)
def test_a_rule_that_names_no_canonical_name_is_refused(name, canonical, monkeypatch):
    said = {"name": "half", "family": "tests", "phase": Phase.TIDY}
    module = ModuleType("half")
    module.Half = type(
        "Half",
        (CallRule,),
        {"__module__": "half", "functions": (name,), **said},
    )
    monkeypatch.setattr(rule_discovery, "_modules", lambda: [module])

    with pytest.raises(TypeError) as caught:
        all_rules.__wrapped__()

    message = f"the rule half.Half can never match `{name}`: awaken calls it `{canonical}`"
    assert str(caught.value) == message
