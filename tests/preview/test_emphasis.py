from __future__ import annotations

from awaken.preview.diffs.emphasis import emphasis


def words(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    found = emphasis(old, new)
    before, after = found.old, found.new
    return (
        [
            line[start:stop]
            for line, found in zip(old, before, strict=True)
            for start, stop in found
        ],
        [line[start:stop] for line, found in zip(new, after, strict=True) for start, stop in found],
    )


def test_only_what_changed_is_marked() -> None:
    old = ["    return session.query(Book).filter(Book.id == key).first()"]
    new = ["    return session.scalars(select(Book).where(Book.id == key).limit(1)).first()"]

    assert words(old, new) == (["query", "filter"], ["scalars(select", "where", "limit(1))."])


def test_a_block_is_compared_over_its_lines() -> None:
    old = ["x = (s.query(A)", "     .all())"]
    new = ["x = (", "    s.scalars(select(A))", "    .all()", ")"]

    assert words(old, new) == (["query"], ["scalars(select", ")"])


def test_indentation_is_never_marked() -> None:
    assert words(["a = 1"], ["        a = 1"]) == ([], [])


def test_lines_with_nothing_in_common_are_not_marked() -> None:
    assert words(["import os"], ["def f(x): return x + 1"]) == ([], [])


def test_one_side_alone_is_not_marked() -> None:
    assert words([], ["new = 1"]) == ([], [])
    assert words(["old = 1"], []) == ([], [])


def test_a_huge_block_is_not_compared() -> None:
    assert words(["a " * 2000], ["a " * 2000 + "b"]) == ([], [])


def test_lines_with_common_words_are_pairs() -> None:
    old = ["x = (", "    s.query(A)", "    .filter(b)", "    .all()", ")"]
    new = ["x = (", "    s.scalars(", "        select(A)", "        .where(b)", "    ).all()", ")"]

    assert emphasis(old, new).pairs == [(0, 0), (1, 1), (2, 3), (3, 4), (4, 5)]


def test_pairs_never_cross() -> None:
    old, new = ["a(x, y)", "b(x, y)"], ["b(x, y)", "a(x, y)"]

    pairs = emphasis(old, new).pairs

    assert pairs == sorted(pairs)
    assert len({left for left, _ in pairs}) == len({right for _, right in pairs}) == len(pairs)


def test_a_line_has_one_partner() -> None:
    assert emphasis(["a(x,", "  y, z)"], ["a(x, y, z)"]).pairs == [(0, 0)]
