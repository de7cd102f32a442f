"""Rules as Markdown: one rule's whole page, and the table of all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from awaken.contract import Level, Reason, Status
from awaken.kit.rule import Rule
from awaken.preview.markdown.rule_page import (
    Example,
    PagePart,
    Section,
    facts,
    levels,
    options,
    parts,
    status,
    summary,
)

STATUSES = {
    Status.DEFAULT: "runs by itself",
    Status.OPT_IN: "is finished, and runs if you select its name, family or recipe",
    Status.PREVIEW: "is unfinished: select its name, or its family with `--preview`",
}
"""What a rule of each status does."""
_TITLES = ("rule", "what it does", "kind", "levels", "phase", "status")
REFUSALS = "What it refuses"
"""The section that the rule's reasons follow."""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown, in one line each, and a bar in them divides nothing."""
    lines = [_table_line(titles), "|" + " --- |" * len(titles), *map(_table_line, rows)]
    return "\n".join(lines)


def _table_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


class Refusals(Struct, frozen=True):
    """The reasons for which a site of ``rule`` is manual."""

    rule: str
    reasons: tuple[Reason, ...]


def whole_page(rule: Rule) -> list[PagePart | Refusals]:
    """Return the page in its order: an example and how to run it first, the reasons last.

    The rest of the docstring is in between, with what the rule declares where it belongs.
    """
    opening, *written = parts(rule)
    shown = next((part for part in written if isinstance(part, Example)), None)
    first = [opening, *([] if shown is None else [shown]), Section("How to run it", _runs(rule))]
    written = [part for part in written if part is not shown]
    declared: list[PagePart | Refusals] = (
        [Refusals(rule.name, rule.reasons)] if rule.reasons else []
    )
    declared += [Section("Options", _options(rule)), Section("Needs", _needs(rule))]
    titles = [part.title if isinstance(part, Section) else "" for part in written]
    if REFUSALS in titles:
        at = titles.index(REFUSALS) + 1
    else:
        at = len(titles)
        declared = [*([Section(REFUSALS, "")] if rule.reasons else []), *declared]
    return [*first, *written[:at], *declared, *written[at:]]


def _runs(rule: Rule) -> str:
    """Return the commands that run ``rule`` alone."""
    if rule.kind == "advice":
        return f"```console\nawaken check --select {rule.name}\n```"
    lines = [f"awaken {command} --select {rule.name}" for command in ("diff", "apply")]
    if Level.SAFE not in levels(rule):
        # Without that option, a rule that is never safe would change nothing.
        lines = [f"{line} --unsafe-fixes" for line in lines]
    elif Level.UNSAFE in levels(rule):
        lines.append(f"{lines[-1]} --unsafe-fixes")
    return "```console\n" + "\n".join(lines) + "\n```"


def _options(rule: Rule) -> str:
    declared = options(rule)
    if not declared:
        return "None."
    rows = [
        (f"`{one.name}`", f"`{one.type}`", _default_text(one.default), one.description)
        for one in declared
    ]
    where = f"Set in `[tool.awaken.rules.{rule.name}]`."
    return f"{where}\n\n{table(('option', 'type', 'default', ''), rows)}"


def _default_text(default: str | None) -> str:
    return "must be given" if default is None else f"`{default}`"


def _needs(rule: Rule) -> str:
    wanted = [f"`{name}` {specifier}" for name, specifier in rule.needs.items()]
    required = [f"`{name}` {specifier}" for name, specifier in rule.declares.items()]
    if required:
        return (
            f"{', '.join(required)}, which the change requires, in some version that the project "
            "admits. Elsewhere nothing is rewritten, and awaken says so. `awaken doctor` shows "
            "which versions it found."
        )
    if not wanted:
        return "Any version."
    return (
        f"{', '.join(wanted)}, in every version that the project admits. Elsewhere nothing is "
        "rewritten, and awaken says so. `awaken doctor` shows which versions it found."
    )


def markdown(rule: Rule) -> str:
    """Return the whole page as Markdown."""
    blocks = [f"# {rule.name}"]
    for part in whole_page(rule):
        blocks += _blocks(part)
    blocks += ["## Facts", table(("", ""), facts(rule))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _blocks(part: PagePart | Refusals) -> Iterator[str]:
    match part:
        case Section(title, text):
            yield f"## {title}" if title else ""
            yield text
        case Example(markdown=text):
            yield text
        case Refusals(_, reasons):
            rows = [(f"`{reason.code}`", message(reason), reason.help) for reason in reasons]
            yield table(("reason", "why a site stays", "what to do"), rows)


def by_family(rules: Sequence[Rule]) -> Iterator[tuple[str, list[Rule]]]:
    """Yield each family with its rules: first those that run by themselves, last the previews."""
    for family in sorted({rule.family for rule in rules}):
        members = (rule for rule in rules if rule.family == family)
        yield family, sorted(members, key=lambda rule: list(Status).index(rule.status))


def index(rules: Sequence[Rule], link: str = "") -> str:
    """Return the rules as Markdown tables, one per family; ``link`` fits ``{}`` to a page."""
    blocks = ["\n".join(f"- *{item}*: {text}." for item, text in STATUSES.items())]
    for family, members in by_family(rules):
        rows = [_row(rule, link) for rule in members]
        blocks += [f"## {family}", table(_TITLES, rows)]
    return "\n\n".join(blocks) + "\n"


def _row(rule: Rule, link: str) -> tuple[str, ...]:
    name = f"[`{rule.name}`]({link.format(rule.name)})" if link else f"`{rule.name}`"
    phase = rule.phase.name.lower()
    return name, summary(rule), rule.kind, ", ".join(levels(rule)), phase, status(rule)


def message(reason: Reason) -> str:
    """Return the message of ``reason`` for no site in particular."""
    if reason.message == "{}":
        return "the finding names the code"
    return re.sub(r"\{\w*\}", "…", reason.message)
