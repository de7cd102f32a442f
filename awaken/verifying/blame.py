"""The change that is guilty of a failure: by the lines that failed, else by halves."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct

from awaken.contract import ChangeId, Span
from awaken.engine.asking.chosen_changes import ChangeKey
from awaken.engine.report import EditedPlace, FileChange, RootReport
from awaken.project.source.lines.statement_lines import Lines, differing_lines
from awaken.verifying.sufficient_runs import Difference
from awaken.verifying.suites import Line
from awaken.workspace.reading import working_tree

_WORD = re.compile(rb"\w")

_SUSPECTS = 2
"""Changes that a line points at and that are tried alone: a third costs more than it finds."""


def prefix_of(root: RootReport) -> str:
    """Return what the paths of a project begin with in its repository, which the tests run in."""
    top = working_tree(root.root) or root.root
    inside = root.root.relative_to(top).as_posix()
    return "" if inside == "." else f"{inside}/"


class ChangedLines:
    """Which lines of the files after a run are of which change."""

    def __init__(self, root: RootReport, prefix: str) -> None:
        self._root, self._prefix = root, prefix

    @cached_property
    def by_line(self) -> Mapping[Line, frozenset[ChangeKey]]:
        """The changes of each line that is new; paths are those of the copy."""
        owns: dict[Line, frozenset[ChangeKey]] = {}
        for file in self._root.files:
            for numbers, changes in self._blocks(file):
                for number in numbers:
                    own = frozenset((self._root.root, change) for change in changes)
                    owns[f"{self._prefix}{file.path}", number] = own
        return owns

    def lines_of(self, change: ChangeId) -> set[Line]:
        """Return the lines that ``change`` wrote, but for imports, which run with the file."""
        return self._by_change[change]

    @cached_property
    def _by_change(self) -> Mapping[ChangeId, set[Line]]:
        result: defaultdict[ChangeId, set[Line]] = defaultdict(set)
        for line, changes in self.by_line.items():
            if line not in self._imports:
                for _, change in changes:
                    result[change].add(line)
        return result

    @cached_property
    def _edits(self) -> Mapping[str, list[EditedPlace]]:
        edited_places: defaultdict[str, list[EditedPlace]] = defaultdict(list)
        for place in self._root.edited:
            edited_places[place.place.path].append(place)
        return edited_places

    @cached_property
    def _imports(self) -> frozenset[Line]:
        return frozenset(
            (f"{self._prefix}{file.path}", number)
            for file in self._root.files
            for number, text in enumerate(file.after.text.split(b"\n"), 1)
            if text.startswith((b"import ", b"from "))
        )

    def _blocks(self, file: FileChange) -> Iterable[tuple[range, frozenset[ChangeId]]]:
        before = b"" if file.before is None else file.before.text
        edited = [
            (before.count(b"\n", 0, edit.place.span.start), edit.place.span, edit.change)
            for edit in self._edits[file.path]
        ]
        everyone = frozenset(change for *_, change in edited)
        for lines, others in _new_lines(before, file.after.text, [item[:2] for item in edited]):
            own = frozenset(
                change
                for line, span, change in edited
                if line < max(lines.end, lines.start + 1)
                and lines.start <= line + before.count(b"\n", span.start, span.end)
            )
            yield range(others.start + 1, others.end + 1), own or everyone


def _new_lines(
    before: bytes, after: bytes, edited: Iterable[tuple[int, Span]]
) -> Iterator[tuple[Lines, Lines]]:
    """Yield lines that go, and those that come for them.

    Lines of no edit are still there. Those that are unique divide the file, so that similar lines
    of two changes are not taken for each other.
    """
    old, new = before.split(b"\n"), after.split(b"\n")
    touched = {
        number
        for line, span in edited
        for number in range(line, line + before.count(b"\n", span.start, span.end) + 1)
    }
    # A line of brackets alone may be one that a change wrote.
    return differing_lines(
        old, new, lambda at, text: at not in touched and _WORD.search(text) is not None
    )


def suspects(
    differences: Iterable[Difference], lines: Mapping[Line, frozenset[ChangeKey]]
) -> list[ChangeKey]:
    """Return the changes whose lines tracebacks and statements point at, the innermost first."""
    result: dict[ChangeKey, None] = {}
    for difference in differences:
        for place in pointed_at(difference):
            result |= dict.fromkeys(sorted(lines.get(place, ())))
    return list(result)


def pointed_at(one: Difference) -> Iterator[Line]:
    """Yield the lines of a traceback from within, then those that sent a statement of their own."""
    if one.after is None:
        return
    yield from reversed(one.after.frames)
    known = Counter(statement.text for statement in one.before.statements)
    for statement in one.after.statements:
        known[statement.text] -= 1
        if known[statement.text] < 0:
            yield from statement.lines


class Trial(Struct, frozen=True):
    """Whether the tests fail with some changes alone; ``dropped`` could not be made so."""

    fails: bool
    dropped: frozenset[ChangeKey] = frozenset()


Try = Callable[[frozenset[ChangeKey]], Trial]
"""Runs the failing tests with these changes alone."""


def guilty(
    changes: Sequence[ChangeKey],
    first: Sequence[ChangeKey],
    attempt: Try,
    requires: Mapping[ChangeKey, Iterable[ChangeKey]] = MappingProxyType({}),
) -> frozenset[ChangeKey]:
    """Return the change by which tests fail, or those that make them fail only together.

    Without changes they pass, with all they fail. Two of ``first`` are tried before halves. What
    a change ``requires`` is made with it. It takes at most log2 n + 2 runs for a change that is
    guilty alone, one more where ``first`` are innocent.
    """
    first = first[:_SUSPECTS]
    order = _closed_change_keys([*first, *changes], requires)
    probes = sorted(order.index(pair) + 1 for pair in first)
    low, high, last = _border(order, attempt, probes)
    needed = [order[high - 1]]
    if low == 0:
        return frozenset(needed)
    # Their other requirements are among the earlier changes.
    base = order[:low]
    while True:
        alone = frozenset(_closed_change_keys(needed, requires))
        trial = attempt(alone)
        base = [pair for pair in base if pair not in alone]
        if last.dropped and not trial.fails:
            return last.dropped
        # A change that cannot be made alone says nothing about itself.
        if trial.fails or trial.dropped or not base:
            return frozenset(needed)
        at = _border(base, _Among(attempt, alone), [])[1]
        needed.append(base[at - 1])
        base = base[: at - 1]
        if not base:
            return frozenset(needed)


class _Among:
    """Tries changes together with others that are always made."""

    def __init__(self, attempt: Try, others: frozenset[ChangeKey]) -> None:
        self._attempt, self._others = attempt, others

    def __call__(self, made: frozenset[ChangeKey]) -> Trial:
        return self._attempt(made | self._others)


def _border(
    order: Sequence[ChangeKey], attempt: Try, probes: Iterable[int]
) -> tuple[int, int, Trial]:
    """Return the numbers of first changes with which tests still pass, and with which they fail.

    They are neighbours; the trial is that of the former.
    """
    low, high, last = 0, len(order), Trial(fails=False)
    waiting = list(probes)
    while high - low > 1:
        waiting = [candidate for candidate in waiting if low < candidate < high]
        at = waiting[0] if waiting else (low + high) // 2
        trial = attempt(frozenset(order[:at]))
        if trial.fails:
            high = at
        else:
            low, last = at, trial
    return low, high, last


def _closed_change_keys(
    changes: Iterable[ChangeKey], requires: Mapping[ChangeKey, Iterable[ChangeKey]]
) -> list[ChangeKey]:
    """Return ``changes`` in their order, each after those that it requires."""
    result: dict[ChangeKey, None] = {}

    begun: set[ChangeKey] = set()

    def add(one: ChangeKey) -> None:
        if one not in begun:
            begun.add(one)
            for other in requires.get(one, ()):
                add(other)
            result[one] = None

    for change in changes:
        add(change)
    return list(result)
