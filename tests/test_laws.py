"""What holds for every rule, on every one of its cases."""

from __future__ import annotations

import pytest
from fixture_cases import CASES, result_of

from awaken.testing import LAWS, laws_of


@pytest.mark.parametrize(
    ("identifier", "law"),
    [
        pytest.param(identifier, law, id=f"{identifier}-{law}")
        for identifier, case in CASES.items()
        for law in laws_of(case)
    ],
)
def test_law(identifier, law):
    LAWS[law](result_of(identifier))
