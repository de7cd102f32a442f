"""Rules as data say what their classes say, and a plug-in is seen as soon as it is there."""

from __future__ import annotations

import os
import sys
import time

import msgspec
import pytest

from awaken.engine.planning.rule_discovery import all_rules, built_in
from awaken.engine.remembering import result_places, rule_table
from awaken.engine.remembering.rule_table import installed_rules
from awaken.kit.rule import Rule
from awaken.settings.rule_data import DeclaredRule, RuleData, data_of, rule_from, with_code

PLUGIN = """
from awaken.contract import Phase
from awaken.kit.rule import Rule

class Ours(Rule):
    name, family, phase = "ours", "tests", Phase.TIDY
"""
# Of it the data say only whether there are any, and of foreign code there are no data.
BESIDE = {"options", "is_foreign"}


@pytest.fixture
def rules(tmp_path, monkeypatch):
    """Return a function that gives the names of all rules, as a process of its own does."""
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    # Files that are written in a test are as old as those that an installer wrote.
    monkeypatch.setattr(rule_table, "TICK", -time.time_ns())
    monkeypatch.setattr(result_places, "TICK", -time.time_ns())

    def named(*, use=True):
        all_rules.cache_clear()
        result_places.own_digest.cache_clear()
        return installed_rules(tmp_path / "cache", use=use)

    yield named
    all_rules.cache_clear()
    result_places.own_digest.cache_clear()


@pytest.mark.parametrize("rule", built_in(), ids=lambda rule: rule.name)
def test_the_data_of_a_rule_say_what_its_class_says(rule):
    data = msgspec.msgpack.decode(msgspec.msgpack.encode(data_of(rule)), type=RuleData)
    declared = rule_from(data)

    for name in Rule.__annotations__.keys() - BESIDE:
        assert getattr(declared, name) == getattr(rule, name), name
    for name, method in vars(Rule).items():
        if callable(method):
            own = getattr(type(rule), name) is not method
            assert (getattr(type(declared), name) is not method) == own, name
    assert type(with_code(declared)) is type(rule)
    assert declared.options is rule.options
    assert declared.rewriters().keys() == rule.rewriters().keys()


def test_the_second_process_takes_the_rules_from_their_data(rules):
    first, second = rules(), rules()

    assert [one.name for one in first] == [one.name for one in second]
    assert not any(isinstance(one, DeclaredRule) for one in first)
    assert all(isinstance(one, DeclaredRule) for one in second)
    assert not any(isinstance(one, DeclaredRule) for one in rules(use=False))


@pytest.mark.parametrize("use", [True, False])
def test_a_built_distribution_takes_the_rules_from_its_own_table(rules, tmp_path, monkeypatch, use):
    table = msgspec.msgpack.encode(rule_table.table_of(built_in()))
    monkeypatch.setattr(rule_table, "SHIPPED", tmp_path / "rule_table.msgpack")
    rule_table.SHIPPED.write_bytes(table)

    shipped = rules(use=use)

    assert [rule.name for rule in shipped] == [rule.name for rule in all_rules()]
    assert all(isinstance(rule, DeclaredRule) for rule in shipped)


@pytest.mark.parametrize("at_once", [True, False], ids=["new", "an edit of its metadata"])
def test_a_plugin_is_seen_and_gone_again(rules, tmp_path, monkeypatch, at_once):
    metadata = tmp_path / "site" / "ours-1.dist-info"
    metadata.parent.mkdir()
    (metadata.parent / "ours_of_a_test.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(metadata.parent))
    if not at_once:
        metadata.mkdir()
        (metadata / "entry_points.txt").write_text("[other]\nours = ours_of_a_test:Ours\n")
    rules()
    assert "ours" not in [one.name for one in rules()]

    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[awaken.rules]\nours = ours_of_a_test:Ours\n")
    for _ in range(2):
        found = {one.name: one for one in rules()}
        assert type(found["ours"]).__module__ == "ours_of_a_test"
        assert isinstance(found["query-to-select"], DeclaredRule)

    (metadata / "entry_points.txt").unlink()
    assert "ours" not in [one.name for one in rules()]


def test_what_else_finds_distributions_is_asked(rules, monkeypatch):
    rules()

    class Finder:
        def find_spec(self, *_):
            return None

        def find_distributions(self, *_):
            asked.append(1)
            return []

    asked = []
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    rules()

    assert asked


def test_a_change_of_own_code_gives_another_digest(tmp_path, monkeypatch):
    own = tmp_path / "awaken"
    own.mkdir()
    (own / "a.py").write_text("1")
    monkeypatch.setattr(result_places, "_own_package", lambda: own)
    monkeypatch.setattr(result_places, "TICK", -time.time_ns())

    def digest():
        result_places.own_digest.cache_clear()
        return result_places.own_digest(tmp_path / "cache", b"k" * 32)

    before, times = digest(), (own / "a.py").stat()
    read = []
    monkeypatch.setattr(result_places, "_digest", lambda *_: read.append(1) or "other")
    assert digest() == before
    assert not read
    (own / "a.py").write_text("2")
    os.utime(own / "a.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digest() == "other"
    (own / "b.py").write_text("")
    digest()
    assert len(read) == 2
    result_places.own_digest.cache_clear()


def test_what_was_written_just_now_is_not_trusted_by_its_times(tmp_path, monkeypatch):
    own = tmp_path / "awaken"
    own.mkdir()
    (own / "a.py").write_text("1")
    monkeypatch.setattr(result_places, "_own_package", lambda: own)
    result_places.own_digest(tmp_path / "cache", b"k" * 32)
    result_places.own_digest.cache_clear()

    assert not list((tmp_path / "cache").rglob("OwnCode-*"))
