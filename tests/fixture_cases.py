"""The cases under ``fixtures``, and what each rule makes of them, run once per process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from awaken.testing import load_cases, run_case

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = {case.identifier: case for case in load_cases(FIXTURES)}


@cache
def result_of(identifier):
    """Return what the rule of the case ``identifier`` makes of it."""
    return run_case(CASES[identifier])
