"""The message of a commit that a step of a migration makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from textwrap import shorten, wrap

from awaken.contract import Finding, Level
from awaken.engine.recipe_run import StepRun
from awaken.engine.report import RootReport
from awaken.preview.counts import changed_files, level_words, plural, rewritten_sites
from awaken.preview.recipe_steps import name_of
from awaken.preview.streams.visible import printable

_SUBJECT = 72
"""Characters of a subject that git's own tools show whole."""
_LISTED = 8
"""Sentences of one list; the report has them all."""


def commit_message(recipe: str, run: StepRun, verified: Sequence[str] = ()) -> str:
    """Return subject and body: rules with counts, what may change, and what is left.

    ``verified`` are rows on what the tests said.
    """
    subject = shorten(name_of(run).rstrip(".").replace("`", ""), _SUBJECT, placeholder=" ...")
    sites = plural(rewritten_sites(run.report), "site")
    made = f"{sites} in {plural(changed_files(run.report), 'file')}, by awaken {version('awaken')}"
    lines = [subject, "", f"{made}: step {run.number} of the recipe {recipe}.", ""]
    lines += _by_rule(run, made=True)
    if verified:
        rows = [
            row for one in verified for row in wrap(f"- {one}", _SUBJECT, subsequent_indent="  ")
        ]
        lines += ["", "Verified by the tests:", *rows]
    for heading, sentences in (
        ("What may change:", may_change(run)),
        ("Left to do by hand:", Counter(_by_rule(run, made=False))),
    ):
        if sentences:
            lines += ["", heading, *listed(sentences)]
    return printable("\n".join(lines)) + "\n"


def _by_rule(run: StepRun, *, made: bool) -> list[str]:
    by_rule: dict[str, list[Finding]] = {}
    for root in run.report.roots:
        for finding in root.findings:
            if (finding.change in root.made) is made:
                by_rule.setdefault(finding.rule, []).append(finding)
    return [f"- {rule}: {level_words(findings)}" for rule, findings in sorted(by_rule.items())]


def may_change(run: StepRun) -> Counter[str]:
    """Return what the changes of a step may change, a row each, with the number of places."""
    return Counter(
        f"- {sentence}" for root in run.report.roots for sentence in unsafe_sentences(root)
    )


def unsafe_sentences(root: RootReport) -> Iterator[str]:
    """Yield what the changes of a project may change, a sentence for each place."""
    outlined = {one.change: one for one in root.outlines if one.change in root.made}
    for outline in outlined.values():
        for part in outline.parts:
            if part.key == "caveats":
                yield from (row.text for row in part.rows)
    for finding in root.findings:
        is_unsafe = finding.level is Level.UNSAFE and finding.change in root.made
        if is_unsafe and finding.change not in outlined:
            yield finding.message


def listed(sentences: Counter[str]) -> list[str]:
    """Return the most frequent rows, wrapped, and how many others there are."""
    rows = [
        f"{sentence} ({count} times)" if count > 1 else sentence
        for sentence, count in sentences.most_common(_LISTED)
    ]
    if len(sentences) > _LISTED:
        rows.append(f"- and {plural(len(sentences) - _LISTED, 'other')}")
    return [line for row in rows for line in wrap(row, _SUBJECT, subsequent_indent="  ")]
