"""The record of what a run looked at."""

from __future__ import annotations

from awaken.project.source.looked_at import LookedAt, Search


def test_what_another_process_looked_at_is_taken_over() -> None:
    """The searches and the files of both are in the record."""
    here, there = LookedAt(), LookedAt()
    here.note_search(Search("bytes", b"query"), ["a.py"])
    here.note_read("a.py")
    there.note_search(Search("word", b"query"), ["b.py"])
    there.note_read("b.py")

    here.add(there)

    assert here.searched == {
        Search("bytes", b"query"): frozenset({"a.py"}),
        Search("word", b"query"): frozenset({"b.py"}),
    }
    assert here.read == {"a.py", "b.py"}


def test_two_runs_do_not_share_a_record() -> None:
    """Each record begins empty, whatever others hold."""
    LookedAt().note_read("a.py")

    assert LookedAt() == LookedAt({}, set())
