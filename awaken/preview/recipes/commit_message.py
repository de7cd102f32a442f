"""The message of a commit that a step of a migration makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from textwrap import shorten, wrap

from awaken.contract import Finding, Level
from awaken.engine.recipe_run import StepRun
from awaken.engine.report import RootReport
from awaken.preview.counts import grouped_rows, level_words, rewritten
from awaken.preview.recipes.recipe_steps import name_of
from awaken.preview.streams.visible import printable

_SUBJECT = 72
"""Characters of a subject that git's own tools show whole."""


def commit_message(recipe: str, run: StepRun, verified: Sequence[str] = ()) -> str:
    """Return subject and body: rules with counts, what may change, and what is left.

    ``verified`` are rows on what the tests said.
    """
    subject = shorten(name_of(run).rstrip(".").replace("`", ""), _SUBJECT, placeholder=" ...")
    made = f"{rewritten(run.report).words()}, by awaken {version('awaken')}"
    made = f"{made}: step {run.number} of the recipe {recipe}."
    lines = [subject, "", *_wrapped_names(made), "", *listed_rows(_by_rule(run, made=True))]
    for heading, rows in (
        ("Verified by the tests:", verified),
        ("What may change:", may_change(run)),
        ("Left to do by hand:", _by_rule(run, made=False)),
    ):
        if rows:
            lines += ["", heading, *listed_rows(rows)]
    return printable("\n".join(lines)) + "\n"


def _by_rule(run: StepRun, *, made: bool) -> list[str]:
    by_rule: dict[str, list[Finding]] = {}
    for root in run.report.roots:
        for finding in root.findings:
            if (finding.change in root.change_ids) is made:
                by_rule.setdefault(finding.rule, []).append(finding)
    return [f"{rule}: {level_words(findings)}" for rule, findings in sorted(by_rule.items())]


def may_change(run: StepRun) -> list[str]:
    """Return what the changes of a step may change, a row each, with the number of places."""
    sentences = Counter(name for root in run.report.roots for name in unsafe_sentences(root))
    return [
        f"{row.text} ({row.equal_sentences} times)" if row.equal_sentences > 1 else row.text
        for row in grouped_rows(sentences.most_common())
    ]


def unsafe_sentences(root: RootReport) -> Iterator[str]:
    """Yield what the changes of a project may change, a sentence for each place."""
    outlined = {item.change: item for item in root.outlines if item.change in root.change_ids}
    for outline in outlined.values():
        for part in outline.parts:
            if part.key == "caveats":
                yield from (row.text for row in part.rows)
    for finding in root.findings:
        is_unsafe = finding.level is Level.UNSAFE and finding.change in root.change_ids
        if is_unsafe and finding.change not in outlined:
            yield finding.message


def listed_rows(rows: Iterable[str]) -> list[str]:
    """Return each row as an item of a list, wrapped."""
    return [line for row in rows for line in _wrapped_names(f"- {row}", "  ")]


def _wrapped_names(sentence: str, indent: str = "") -> list[str]:
    return wrap(sentence, _SUBJECT, subsequent_indent=indent, break_on_hyphens=False)
