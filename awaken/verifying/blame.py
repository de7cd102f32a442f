"""The change that is guilty of a failure: by the lines that failed, else by halves."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from awaken.contract import ChangeId
from awaken.engine.report import FileChange, RootReport
from awaken.verifying.suites import Line, Test

Fails = Callable[[frozenset[ChangeId]], bool]
"""Whether the failing tests still fail without these changes."""


class ChangedLines:
    """Which lines of the files after a run are of which change."""

    def __init__(self, root: RootReport, prefix: str) -> None:
        self._root, self._prefix = root, prefix

    @cached_property
    def by_line(self) -> Mapping[Line, frozenset[ChangeId]]:
        """The changes of each line that is new; paths are those of the copy."""
        found: dict[Line, frozenset[ChangeId]] = {}
        for file in self._root.files:
            for numbers, changes in self._blocks(file):
                for number in numbers:
                    found[f"{self._prefix}{file.path}", number] = changes
        return found

    def lines_of(self, change: ChangeId) -> set[Line]:
        """Return the lines that ``change`` wrote."""
        return {line for line, changes in self.by_line.items() if change in changes}

    def _blocks(self, file: FileChange) -> Iterable[tuple[range, frozenset[ChangeId]]]:
        before = b"" if file.before is None else file.before.text
        edited = [
            (before.count(b"\n", 0, one.place.span.start), one.place.span, one.change)
            for one in self._root.edited
            if one.place.path == file.path
        ]
        everyone = frozenset(one.change for one in self._root.edited if one.place.path == file.path)
        lines = before.split(b"\n"), file.after.text.split(b"\n")
        for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
            None, *lines, autojunk=False
        ).get_opcodes():
            if tag == "equal":
                continue
            own = frozenset(
                change
                for line, span, change in edited
                if line < max(end, start + 1)
                and start <= line + before.count(b"\n", span.start, span.end)
            )
            yield range(new_start + 1, new_end + 1), own or everyone


def suspects(tests: Iterable[Test], lines: Mapping[Line, frozenset[ChangeId]]) -> list[ChangeId]:
    """Return the changes whose lines are in the tracebacks of ``tests``, the innermost first."""
    found: dict[ChangeId, None] = {}
    for test in tests:
        for frame in reversed(test.frames):
            found |= dict.fromkeys(sorted(lines.get(frame, ())))
    return list(found)


def guilty(
    changes: Sequence[ChangeId], first: Sequence[ChangeId], fails: Fails
) -> frozenset[ChangeId]:
    """Return a smallest set of ``changes`` without which the tests do not fail.

    ``first`` are tried alone; then halves. Empty where they fail without all of ``changes``.
    """
    for one in first[:2]:
        if not fails(frozenset({one})):
            return frozenset({one})
    everyone = frozenset(changes)
    if not everyone or fails(everyone):
        return frozenset()
    return frozenset(_needed(list(changes), [], fails))


def _needed(among: list[ChangeId], left_out: list[ChangeId], fails: Fails) -> list[ChangeId]:
    """Return those ``among`` the changes that must be left out, next to those ``left_out``.

    The tests pass without all of both, and fail without ``left_out`` alone.
    """
    if len(among) == 1:
        return among
    half = len(among) // 2
    one, other = among[:half], among[half:]
    if not fails(frozenset([*left_out, *one])):
        return _needed(one, left_out, fails)
    if not fails(frozenset([*left_out, *other])):
        return _needed(other, left_out, fails)
    # They fail as long as a change of either half is there.
    found = _needed(one, [*left_out, *other], fails)
    return [*found, *_needed(other, [*left_out, *found], fails)]
