"""Shows hunks to the processors of a query, and keeps those that none of them refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from awaken.workspace.sources import LINE_END

_CONTEXT = 3
"""Unchanged lines around a hunk, as Bowler's processors see it."""

_Group = Sequence[tuple[str, int, int, int, int]]


@dataclass(frozen=True)
class Processors:
    """The processors of a query: each is shown every hunk, as a unified diff has it."""

    functions: Sequence[Callable[[str, list[str]], object]] = ()

    def merge(self, text: str, made: str, name: str) -> str:
        """Return a text with those lines of another that are taken.

        Both end with a line end, and those of ``made`` are plain. A line keeps the end of the one
        that it replaces.
        """
        newline = usual_end(text)
        if not self.functions and len(set(LINE_END.findall(text))) <= 1:
            return made.replace("\n", newline)
        new = made.split("\n")
        if not new[-1]:
            del new[-1]
        return "".join(self._lines(name, _lines(text), new))

    def _lines(self, name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
        """Yield the lines of a file after those hunks that no processor refuses."""
        plain = [LINE_END.sub("", one) for one in old], new
        # With autojunk, as Bowler: another match would be other hunks.
        matcher = SequenceMatcher(None, *plain)
        at = 0
        for group in matcher.get_grouped_opcodes(_CONTEXT):
            hunk = _hunk(name, group, *plain)
            shown = list(hunk)
            if not self._take(name, shown):
                continue
            if shown != hunk:
                # A processor may write into a hunk, and Bowler applies what it wrote.
                start, end = group[0][1], group[-1][2]
                kept = [one[1:] for one in shown[3:] if one[:1] in {" ", "+"}]
                yield from old[at:start]
                yield from _with_line_ends(kept, old, start, end)
                at = end
                continue
            for tag, start, end, new_start, new_end in group:
                yield from old[at:start]
                lines = new[new_start:new_end]
                is_same = tag == "equal"
                yield from old[start:end] if is_same else _with_line_ends(lines, old, start, end)
                at = end
        yield from old[at:]

    def _take(self, name: str, hunk: list[str]) -> bool:
        """Whether every processor takes a hunk; all are asked."""
        answers = [function(name, hunk) for function in self.functions]
        return not any(answer is False for answer in answers)


def _hunk(name: str, group: _Group, old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return a hunk as the lines of a unified diff."""
    first, last = group[0], group[-1]
    before, after = _range(first[1], last[2]), _range(first[3], last[4])
    hunk = [f"--- {name}", f"+++ {name}", f"@@ -{before} +{after} @@"]
    for tag, start, end, new_start, new_end in group:
        if tag == "equal":
            hunk += [f" {one}" for one in old[start:end]]
            continue
        hunk += [f"-{one}" for one in old[start:end]]
        hunk += [f"+{one}" for one in new[new_start:new_end]]
    return hunk


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def usual_end(text: str) -> str:
    """Return what ends most lines of a text."""
    ends = LINE_END.findall(text)
    return max(sorted(set(ends)), key=ends.count) if ends else "\n"


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; a form feed ends none."""
    ends = [match.end() for match in LINE_END.finditer(text)]
    return [text[start:end] for start, end in pairwise([0, *ends])]


def _with_line_ends(
    lines: Sequence[str], old: Sequence[str], start: int, end: int
) -> Iterator[str]:
    """Yield lines with the ends of those that they replace; more, with the last of these.

    Without a line in their place they end as the one before them, or the first of all.
    """
    last = max(end - 1, start - 1, 0)
    for number, line in enumerate(lines, start):
        found = LINE_END.search(old[min(number, last)]) if old else None
        yield line + (found.group() if found else "\n")
