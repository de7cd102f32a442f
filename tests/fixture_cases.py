"""The cases of fixtures and of rules' pages, and what each rule makes of them, run once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from awaken import api
from awaken.testing import load_cases, page_cases, run_case

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = {case.identifier: case for case in (*load_cases(FIXTURES), *page_cases(api.rules()))}


@cache
def result_of(identifier):
    """Return what the rule of the case ``identifier`` makes of it."""
    return run_case(CASES[identifier])
