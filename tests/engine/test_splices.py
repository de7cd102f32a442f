"""Splices, and the way back from the new text to the old one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from awaken.contract import Span
from awaken.engine.edits.splices import OverlappingSplices, SpanMap, Splice, clashes, splice

TEXT = b"0123456789"


@st.composite
def splices_of(draw, length):
    """Splices of a text of ``length`` bytes that do not overlap, at most one insertion a place."""
    cuts = sorted(draw(st.lists(st.integers(0, length), max_size=8, unique=True)))
    texts = st.text("xy", max_size=3).map(str.encode)
    return [
        Splice(start, draw(st.sampled_from([start, end])), draw(texts))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]


@st.composite
def rounds_of_splices(draw):
    rounds, text = [], TEXT
    for _ in range(draw(st.integers(1, 3))):
        rounds.append(draw(splices_of(len(text))))
        text, _ = splice(text, rounds[-1])
    return rounds


def test_replacements_and_insertions_in_any_order():
    text, _ = splice(TEXT, [Splice(8, 9, b""), Splice(2, 4, b"ab"), Splice(2, 2, b"<")])
    assert text == b"01<ab45679"


def test_overlap_is_a_mistake():
    with pytest.raises(OverlappingSplices, match="2 to 4"):
        splice(TEXT, [Splice(0, 4, b""), Splice(2, 5, b"")])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Splice(1, 3, b"a"), Splice(2, 4, b"a"), True),
        (Splice(1, 3, b"a"), Splice(3, 4, b"a"), False),
        (Splice(1, 1, b"a"), Splice(1, 1, b"b"), True),
        (Splice(1, 1, b"a"), Splice(1, 1, b"a"), False),
        (Splice(1, 1, b"a"), Splice(1, 3, b"b"), False),
        (Splice(1, 3, b"a"), Splice(1, 3, b"a"), False),
        (Splice(1, 3, b"a"), Splice(1, 3, b"b"), True),
    ],
)
def test_clashes(one, other, expected):
    assert clashes(one, other) is expected
    assert clashes(other, one) is expected


def test_a_place_inside_a_replacement_maps_to_the_replaced_region():
    _, moved = splice(TEXT, [Splice(2, 4, b"abcdef")])
    assert moved.to_before(Span(3, 5)) == Span(2, 4)
    assert moved.to_before(Span(1, 3)) == Span(1, 4)
    assert moved.to_before(Span(5, 9)) == Span(2, 5)


def test_what_surrounds_an_edit_maps_to_what_surrounded_it():
    _, moved = splice(TEXT, [Splice(2, 4, b"abcdef")])
    assert moved.to_before(Span(0, 2)) == Span(0, 2)
    assert moved.to_before(Span(8, 10)) == Span(4, 6)
    assert moved.to_before(Span(2, 8)) == Span(2, 4)


def test_the_place_of_a_deletion_maps_to_what_was_deleted():
    _, moved = splice(TEXT, [Splice(2, 4, b"")])
    assert moved.to_before(Span(2, 2)) == Span(2, 4)
    assert moved.to_before(Span(1, 3)) == Span(1, 5)


def test_an_insertion_maps_to_its_place():
    _, moved = splice(TEXT, [Splice(2, 2, b"ab")])
    assert moved.to_before(Span(2, 4)) == Span(2, 2)
    assert moved.to_before(Span(4, 5)) == Span(2, 3)


def test_insertion_and_replacement_at_one_place_keep_apart():
    _, moved = splice(TEXT, [Splice(2, 2, b"<<"), Splice(2, 4, b"ab")])
    assert moved.to_after(Span(2, 4)) == Span(4, 6)
    assert moved.new_regions() == [Span(2, 4), Span(4, 6)]


@given(rounds_of_splices())
def test_untouched_bytes_map_back_to_themselves(rounds):
    text, moved = TEXT, SpanMap()
    origin = list(range(len(TEXT)))  # where each byte came from, None if an edit made it
    for splices in rounds:
        text, step = splice(text, splices)
        moved = moved.then(step)
        for one in reversed(splices):
            origin[one.start : one.end] = [None] * len(one.text)
    assert len(origin) == len(text)
    for at, came_from in enumerate(origin):
        before = moved.to_before(Span(at, at + 1))
        if came_from is not None:
            assert before == Span(came_from, came_from + 1)
            assert moved.to_after(before) == Span(at, at + 1)
        assert 0 <= before.start <= before.end <= len(TEXT)


@given(rounds_of_splices(), st.data())
def test_maps_keep_the_order_of_places(rounds, data):
    text, moved = TEXT, SpanMap()
    for splices in rounds:
        text, step = splice(text, splices)
        moved = moved.then(step)
    places = st.integers(0, len(text))
    outer = sorted([data.draw(places), data.draw(places)])
    inner = sorted([data.draw(places), data.draw(places)])
    # An empty span beside a deletion belongs to either side.
    assume(inner[0] < inner[1])
    outer = [min(outer[0], inner[0]), max(outer[1], inner[1])]
    assert moved.to_before(Span(*outer)).contains(moved.to_before(Span(*inner)))


def test_no_splices_are_no_map():
    assert not SpanMap([[]])
    assert SpanMap([[]]).to_before(Span(1, 2)) == Span(1, 2)
