"""The checks of a rule's page, and cases made of its examples: the page shows real results.

The page itself has an example's program: the files of its own code blocks, and those that other
sections name. Every site in it must be safe, or unsafe where its title says so; an advice rule
changes nothing, and must have no more to say about the side after. Where a page shows a
``models.py`` (with ``Base`` and ``seed(session)``, as every program of fixtures has), each function
of a safe example takes a session, and is run on a database on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from awaken.contract import Level, Status
from awaken.kit.rule import Rule
from awaken.preview.markdown.rule_page import (
    Example,
    Section,
    docstring,
    examples,
    parts,
    program,
    summary,
)
from awaken.testing.cases import Case, Settings
from awaken.testing.running import require

REQUIRED = ("What", "Why", "Safety", "Sources")
"""Sections that every page has; one of a rule that refuses sites also says what it refuses."""
ON_REAL_PROGRAMS = "On real programs"
"""The section with the table that lets a rule leave the preview."""

_MODELS = "models.py"
_TABLE = re.compile(r"^\|(?: *:?-+:? *\|)+$", re.MULTILINE)


def assert_page(rule: Rule) -> None:
    """Assert that the page of ``rule`` has what users look for."""
    written = {part.title: part.text for part in parts(rule) if isinstance(part, Section)}
    left = [line.strip() for line in docstring(rule).splitlines() if "TODO" in line]
    require(not left, f"the page of {rule.name} is not written yet: {''.join(left[:1])}")
    missing = [title for title in REQUIRED if not written.get(title)]
    require(not missing, f"the page of {rule.name} has no section {missing}")
    require("\n" not in docstring(rule).partition("\n\n")[0], f"{rule.name}: one line first")
    require(summary(rule).endswith("."), f"the page of {rule.name} starts with no sentence")
    require(rule.since, f"{rule.name} does not say in `since` which version brought it")
    require(examples(rule), f"the page of {rule.name} has no `## Before` with its `## After`")
    loose = [title for title in written if title.startswith(("Before", "After"))]
    require(not loose, f"{rule.name}: {loose} of its page belong to no example")
    for reason in rule.reasons:
        ends = reason.help.endswith((".", "!", "?"))
        require(ends, f"the help of {reason.full_code(rule.name)} ends without a full stop")
    if rule.reasons:
        said = written.get("What it refuses")
        require(said, f"the page of {rule.name} does not say what it refuses")
    # Only what was tried on real programs may leave the preview.
    if rule.status is not Status.PREVIEW:
        tried = _TABLE.search(written.get(ON_REAL_PROGRAMS, ""))
        require(tried, f"{rule.name} is not in preview: what did it do on real programs?")


def assert_place(rule: Rule) -> None:
    """Assert that ``rule`` is in a module of its name, in a folder named after its family.

    That holds where each rule has a module of its own, as in awaken.
    """
    module, own = type(rule).__module__, f"{rule.family}.{rule.name.replace('-', '_')}"
    require(
        f".{own}." in f".{module}.",
        f"the rule {rule.name} of the family {rule.family} is in {module}, "
        f"and belongs into a module {own}",
    )


def assert_reasons_shown(rule: Rule, cases: Iterable[Case], known: Collection[str] = ()) -> None:
    """Assert that ``cases`` show each reason of ``rule``, except those ``known`` to have none."""
    result = (finding.reason for case in cases for finding in case.settings.expect or ())
    declared = {reason.full_code(rule.name) for reason in rule.reasons}
    missing = sorted(declared.difference(result, known))
    require(not missing, f"no case shows a site that is manual for {', '.join(missing)}")


def page_cases(rules: Iterable[Rule]) -> list[Case]:
    """Return one case per example on the pages of ``rules``; for those of advice two."""
    return [case for rule in rules for case in _cases(rule)]


def _cases(rule: Rule) -> Iterator[Case]:
    for number, example in enumerate(examples(rule), 1):
        name = f"page-{number}"
        if rule.kind == "advice":
            yield _case(rule, name, example.before, example.before, Settings(level=Level.ADVICE))
            yield _case(rule, f"{name}-after", example.after, example.after, Settings())
        else:
            yield _case(rule, name, example.before, example.after, _settings(rule, example))


def _settings(rule: Rule, example: Example) -> Settings:
    if example.unsafe:
        return Settings(level=Level.UNSAFE, unsafe=True, execute=False)
    # Without models there is no session to call the functions with.
    execute = _MODELS in program(rule)
    return Settings(level=Level.SAFE, execute=execute, functions="[!_]*", other_sql=("*",))


def _case(
    rule: Rule, name: str, before: Mapping[str, str], after: Mapping[str, str], settings: Settings
) -> Case:
    beside = program(rule)
    return Case(
        name=name,
        family=rule.family,
        rule=rule.name,
        directory=Path(),
        settings=settings,
        before=_bytes({**beside, **before}),
        after=_bytes({**beside, **after}),
        program=_bytes(beside),
    )


def _bytes(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}
