"""Small programs, and what one rule says of them and makes of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from msgspec.structs import replace

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings


def levels(rule, text, targets=None, **others):
    """Return the level of each site of a file, with the reason of one that stays."""
    sites = findings(rule, text, targets, **others)
    return [(one.reason or one.level).rpartition("/")[2] for one in sites]


def findings(rule, text, targets=None, **others):
    """Return the findings in a file."""
    report = run_case(case_of(rule, text, others, targets)).report
    assert report.diagnostics == ()
    return [one for one in report.findings if one.place.path == "main.py"]


def files_after(rule, text, **others):
    """Return the files with what is safe and what is unsafe."""
    case = case_of(rule, text, others)
    settings = replace(case.settings, unsafe=True)
    files = run_case(replace(case, settings=settings)).files
    return {path: content.decode() for path, content in files.items()}


def case_of(rule, text, others, targets=None):
    texts = {"main": text, **others}
    files = {f"{name}.py": dedent(text).encode() for name, text in texts.items()}
    return Case(
        name="it",
        family="asyncio",
        rule=rule,
        directory=Path(),
        settings=Settings(published=False, targets={"python": "3.11", **(targets or {})}),
        before=files,
        after=files,
        program={},
    )
