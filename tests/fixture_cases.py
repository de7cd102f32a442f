"""The cases of fixtures and of rules' pages, and what each rule makes of them, run once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from zlib import crc32

import pytest

from awaken import api
from awaken.testing import load_cases, page_cases, run_case

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = {case.identifier: case for case in (*load_cases(FIXTURES), *page_cases(api.rules()))}


ONE_OF, ONE_PAGE_OF = 32, 4
"""Of so many cases, and examples on pages, one goes through what is costly in the quick run."""


def costly(identifier, *more):
    """Return the parameters of a test that is slow, but for a part of the cases.

    Which ones are quick is told by their names: a new case moves no other one. ``more`` are
    further parameters.
    """
    name = "-".join((identifier, *more))
    share = ONE_PAGE_OF if CASES[identifier].name.startswith("page-") else ONE_OF
    is_quick = crc32(name.encode()) % share == 0
    return pytest.param(identifier, *more, id=name, marks=() if is_quick else pytest.mark.slow)


@cache
def result_of(identifier):
    """Return what the rule of the case ``identifier`` makes of it."""
    return run_case(CASES[identifier])
