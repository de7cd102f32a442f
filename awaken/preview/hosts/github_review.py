"""A review of a pull request as the body of GitHub's "create a review": suggestions as data.

A change becomes a suggestion only where all of its lines are in one hunk of the pull request's
diff: GitHub refuses a whole review for one comment outside of it. The review's own text names the
other changes, with their files. The diff is that of git against ``--since``, with three lines of
context. Source: GitHub's REST documentation, "Create a review for a pull request".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from awaken.contract import Level
from awaken.engine.report import ChangeSummary, Report, RootReport
from awaken.engine.suppressing.changed_lines import ChangedLines, Hunk, changed_lines
from awaken.preview.counts import plural
from awaken.preview.hosts.suggestions import Alone, AloneChanges, Suggestion
from awaken.preview.markdown.escaped_text import code, prose
from awaken.preview.markdown.remaining import base_of
from awaken.preview.paths import relative
from awaken.preview.streams.output import Asked
from awaken.preview.streams.visible import harmless, inert

MARK = "<!-- awaken-review -->"
"""The first line of awaken's reviews, by which the next run finds this one."""
SHOWN = 20
"""Suggestions in one review; a reader takes more of them for noise."""
CONTEXT = 3
"""Unchanged lines around a change that GitHub's diff shows, and that may have a comment."""
LIMIT = 65_000
"""Bytes of one text; GitHub refuses more than 65,536 characters."""
_NAMED = 3
"""Files that are named for one change."""
_BACKTICKS = re.compile("`{3,}")


class _Shown(NamedTuple):
    root: RootReport
    change: ChangeSummary
    alone: Alone


def write(report: Report, asked: Asked) -> Iterator[bytes]:
    """Yield the form, as UTF-8."""
    review = github_review(report, asked)
    yield inert(json.dumps(review, ensure_ascii=True, indent=2)).encode() + b"\n"


def github_review(report: Report, asked: Asked) -> dict[str, Any]:
    """Return the body of the request; without comments where no change is a suggestion."""
    alone, since = AloneChanges(asked.staged), asked.staged.since if asked.staged else None
    base = base_of(report, asked)
    comments, crowded, spread = list[dict[str, Any]](), 0, list[_Shown]()
    for root in report.roots:
        # The changes of `apply` are in the files already.
        if asked.command == "apply" or not root.changes:
            continue
        changed = changed_lines(root.root, since, {}) if since else None
        taken = list[Suggestion]()
        for change in root.changes:
            shown = _Shown(root, change, alone.effect_of(root, change.id))
            suggestion = shown.alone.suggestion
            if (
                suggestion is None
                or changed is None
                or not _in_one_hunk(suggestion, changed)
                or any(_overlap(suggestion, other) for other in taken)
            ):
                spread.append(shown)
                continue
            taken.append(suggestion)
            path = relative(root.root, suggestion.path, base)
            comment = _comment(path, suggestion, change)
            if len(comments) == SHOWN or len(comment["body"].encode()) > LIMIT:
                crowded += 1
            else:
                comments.append(comment)
    body = _body(len(comments), crowded, [_named_text(shown, base) for shown in spread])
    return {"event": "COMMENT", "body": body, "comments": comments}


def _overlap(one: Suggestion, other: Suggestion) -> bool:
    """Whether accepting one suggestion would make the other one's lines stale."""
    return one.path == other.path and one.first <= other.last and other.first <= one.last


def _in_one_hunk(suggestion: Suggestion, changed: ChangedLines) -> bool:
    if suggestion.path not in changed.tracked:
        return False  # git does not know the file, so no pull request has it
    return any(
        first <= suggestion.first and suggestion.last <= last
        for first, last in _shown_lines(changed.hunks.get(suggestion.path, ()))
    )


def _shown_lines(hunks: Sequence[Hunk]) -> list[tuple[int, int]]:
    """Return the first and last line of each hunk of a diff with context."""
    shown = list[tuple[int, int]]()
    for hunk in hunks:
        # Of deleted lines, the line before and the one after the gap are their context.
        first = hunk.first - CONTEXT + (0 if hunk.count else 1)
        last = hunk.first + max(hunk.count - 1, 0) + CONTEXT
        if shown and first <= shown[-1][1] + 1:
            shown[-1] = shown[-1][0], last
        else:
            shown.append((first, last))
    return shown


def _comment(path: str, suggestion: Suggestion, change: ChangeSummary) -> dict[str, Any]:
    fence = "`" * max(3, *(len(run) + 1 for run in _BACKTICKS.findall(suggestion.text)), 3)
    text = f"{suggestion.text}\n" if suggestion.text else ""
    unsafe = " This may change behaviour." if change.level is Level.UNSAFE else ""
    said = f"`{change.rule}`: {prose(change.title)}.{unsafe}"
    where: dict[str, Any] = {"path": path, "line": suggestion.last, "side": "RIGHT"}
    if suggestion.first < suggestion.last:
        where |= {"start_line": suggestion.first, "start_side": "RIGHT"}
    return {**where, "body": f"{harmless(said)}\n\n{fence}suggestion\n{text}{fence}"}


def _body(comments: int, crowded: int, spread: Sequence[str]) -> str:
    said = [f"awaken suggests {plural(comments, 'change')} in this pull request."]
    if not comments and not spread:
        said = ["awaken has nothing to suggest in this pull request."]
    if crowded:
        said.append(f"{plural(crowded, 'more change')} would fit; a review has {SHOWN} at most.")
    lines = [MARK, " ".join(said)]
    if spread:
        lines += ["", f"{plural(len(spread), 'change')} can't be a suggestion:", ""]
        for index, line in enumerate(spread):
            if sum(len(text.encode()) + 1 for text in lines) + len(line.encode()) > LIMIT - 200:
                lines.append(f"- … and {len(spread) - index} more")
                break
            lines.append(line)
    return harmless("\n".join(lines))


def _named_text(shown: _Shown, base: Path) -> str:
    paths = shown.alone.paths or shown.change.paths
    codes = [code(relative(shown.root.root, path, base)) for path in paths[:_NAMED]]
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"- {prose(shown.change.title)}: {', '.join(codes)}{more}"
