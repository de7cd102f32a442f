"""A run in one sentence, and what to do next; imports nothing heavy."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from awaken.engine.report import Report
from awaken.preview.after_apply import commands_after
from awaken.preview.counts import count, plural, rewritten, rewritten_sites, suppressed_words

NO_RULE = "No rule is selected, so awaken searched for nothing"
NO_FILE = "awaken found no Python file"

Again = Callable[..., str]
"""``again("apply", "--unsafe-fixes")``: the command with the paths and options of this run."""


class Step(Struct, frozen=True):
    """A possible next step: its effect as half a sentence, and the exact command."""

    effect: str
    command: str


def summary(report: Report, command: str) -> str:
    """Return what ``command`` did or found, in one sentence or two."""
    # Each step of a recipe has a report of the same files.
    read = sum({root.root: root.files_read for root in report.roots}.values())
    seconds = sum(root.seconds for root in report.roots)
    said = _rewritten(report) if command == "apply" else _found_text(report)
    suppressed = suppressed_words(report)
    tail = f"{plural(read, 'file')} read in {seconds:.1f} s."
    return "; ".join([said, *([suppressed] if suppressed else []), tail])


def _found_text(report: Report) -> str:
    whole = count(report)
    levels = [
        f"{number:,} {level}"
        for level in ("safe", "unsafe", "manual")
        if (number := getattr(whole, level))
    ]
    parts = [f"{plural(whole.sites, 'site')} ({', '.join(levels)})"] if whole.sites else []
    parts += [f"{whole.advice:,} of advice"] if whole.advice else []
    if parts:
        return f"{' and '.join(parts)} in {plural(whole.files, 'file')}"
    return _nothing(report, "No site found")


def _rewritten(report: Report) -> str:
    whole = count(report)
    if any(root.files for root in report.roots):
        said = rewritten(report, Path.cwd()).words("rewritten")
    elif whole.safe:  # to which the answers were "no"
        said = "Nothing was rewritten"
    else:
        said = _nothing(report, "Nothing to rewrite")
    stay = f"; {plural(whole.manual, 'manual site')} {'remains' if whole.manual == 1 else 'remain'}"
    return f"{said}{stay if whole.manual else ''}"


def _nothing(report: Report, otherwise: str) -> str:
    """Return why nothing was found, ``otherwise`` where something was looked for."""
    if not report.rules:
        return NO_RULE
    # A slip in the path would be green for the wrong reason.
    return otherwise if any(root.files_read for root in report.roots) else NO_FILE


def next_steps(report: Report, command: str, again: Again) -> list[Step]:
    """Return what to run after ``command`` (``check``, ``diff`` or ``apply``) gave ``report``."""
    done = rewritten_sites(report)
    pending = sum(len(change.sites) for root in report.roots for change in root.pending)
    whole = count(report)
    steps: list[Step] = []
    if command == "apply":
        if any(root.files for root in report.roots):
            steps += [Step(effect, command) for effect, command in commands_after(report)]
            steps.append(Step("undo this", undo_command(report)))
        if whole.manual:
            effect = f"show {plural(whole.manual, 'site')} to change by hand"
            steps.append(Step(effect, again("check")))
    elif done:
        what = rewritten(report, Path.cwd()).words()
        if command == "check":
            steps.append(Step(f"show the rewrite of {what}", again("diff")))
        else:
            steps.append(Step(f"rewrite {what}", again("apply")))
    if pending:
        more = "more " if done else ""
        effect = f"show {pending:,} {more}unsafe {'rewrite' if pending == 1 else 'rewrites'}"
        steps.append(Step(effect, again("diff", "--unsafe-fixes")))
    return steps


def recipe_hint(hints: Iterable[Mapping[str, int]]) -> str:
    """Return which recipes may find something, the most files first; empty if none does."""
    files: Counter[str] = Counter()
    for hint in hints:
        files.update(hint)
    if not files:
        return ""
    listed = ", ".join(name for name, _ in files.most_common())
    return f"Recipes for this program: {listed}. `awaken recipes` counts their sites."


def undo_command(report: Report) -> str:
    """Return the command that takes the apply of ``report`` back from the current directory.

    Anywhere but at its top the command names the top: a project inside has applies of its own.
    """
    # As ``api.apply`` does: one journal entry for all roots that were written to.
    top = Path(os.path.commonpath([root.root for root in report.roots if root.files]))
    shown = os.path.relpath(top, Path.cwd())
    return "awaken undo" if shown == os.curdir else f"awaken undo {shlex.quote(shown)}"
