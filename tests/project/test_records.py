"""The evidence of answers that are kept: whoever asks again has all of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from awaken.project.source.looked_at import LookedAt
from awaken.project.source.memo import (
    RECORDER,
    Record,
    Recorded,
    cached_by,
    cached_items,
    cached_method,
    cached_property,
    recursive,
)


class Facts:
    """Answers that read files: each in a way of its own."""

    def __init__(self):
        self.looked_at = LookedAt()
        self.table = Recorded()

    def read(self, path):
        self.looked_at.note_read(path)
        return path

    @cached_method
    def by_method(self, path):
        return self.read(path)

    @cached_property
    def by_property(self):
        return self.by_method("shop.py")

    @cached_items
    def by_items(self, path):
        yield self.by_method(path)

    @cached_by(len)
    def by_length(self, path):
        return self.read(path)

    def by_table(self, path):
        if path not in self.table:
            with RECORDER.with_record():
                self.table[path] = self.read(path)
        return self.table[path]

    @cached_method
    def raising(self, path):
        raise ValueError(self.read(path))

    @cached_method
    def without_files(self, path):
        return path


ASKING = {
    "method": lambda facts: facts.by_method("shop.py"),
    "property": lambda facts: facts.by_property,
    "items": lambda facts: facts.by_items("shop.py"),
    "key": lambda facts: facts.by_length("shop.py"),
    "table": lambda facts: facts.by_table("shop.py"),
}


def read_by(ask, facts):
    with RECORDER.with_record(Record()) as record:
        ask(facts)
    return LookedAt.of_record(record).read


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_who_asks_again_has_the_evidence(ask):
    facts = Facts()
    assert read_by(ask, facts) == {"shop.py"}
    assert read_by(ask, facts) == {"shop.py"}
    assert facts.looked_at.read == {"shop.py"}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_an_answer_that_nobody_recorded_has_its_evidence(ask):
    facts = Facts()
    ask(facts)
    assert read_by(ask, facts) == {"shop.py"}


def test_evidence_of_others_is_not_taken():
    facts = Facts()
    facts.by_method("other.py")
    assert read_by(ASKING["items"], facts) == {"shop.py"}


def test_what_was_read_for_an_answer_that_raised_is_evidence():
    def ask(facts):
        with pytest.raises(ValueError, match="shop"):
            facts.raising("shop.py")

    assert read_by(ask, Facts()) == {"shop.py"}


def test_an_answer_from_no_file_has_no_evidence():
    assert read_by(lambda facts: facts.without_files("shop.py"), Facts()) == set()


def test_what_is_worked_out_ahead_is_evidence_of_who_asks_for_it():
    facts = Facts()

    def without_record(facts):
        with RECORDER.without_record():
            facts.by_method("shop.py")

    assert read_by(without_record, facts) == set()
    assert read_by(ASKING["method"], facts) == {"shop.py"}


class Circle(Facts):
    """Two answers that lead to each other."""

    @cached_by(lambda name: name, None)
    def following(self, name):
        self.read(f"{name}.py")
        return self.following({"a": "b", "b": "a"}[name])


def test_answers_in_a_circle_have_the_evidence_of_all_of_it():
    circle = Circle()
    circle.following("a")
    for name in ("a", "b"):
        assert read_by(lambda facts, name=name: facts.following(name), circle) == {"a.py", "b.py"}


def test_an_answer_inside_of_a_recursive_one_has_its_evidence():
    facts = Facts()

    @recursive()
    def follow(path):
        facts.read(path)
        return kept(path), follow("next.py" if path == "shop.py" else "shop.py")

    def kept(path):
        return facts.by_method(f"own_{path}")

    with RECORDER.with_record(Record()) as record:
        follow("shop.py")
    read = {"shop.py", "next.py", "own_shop.py", "own_next.py"}
    assert LookedAt.of_record(record).read == read


def test_notes_of_many_short_answers_are_all_kept():
    facts = Facts()
    paths = [f"file_{number}.py" for number in range(40)]

    @cached_method
    def both(_self, pair):
        return [facts.by_method(path) for path in pair]

    class Pairs:
        ask = both

    pairs = Pairs()
    for _ in range(2):
        with RECORDER.with_record(Record()) as record:
            for pair in pairwise(paths):
                pairs.ask(pair)
        assert LookedAt.of_record(record).read == {*paths}
