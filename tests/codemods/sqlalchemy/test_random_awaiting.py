"""Random functions that ask a database do the same before and after session-to-async.

What one of them has that is refused is left out; the others are run, in a loop that turns at each
question.
"""

from __future__ import annotations

import os

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from planned import rewritten
from random_awaiting import program
from test_awaited_expressions import DATABASE, HEAD, observed

EXAMPLES = 60 if os.environ.get("AWAKEN_HYPOTHESIS") == "long" else 1
FUNCTIONS = 4


def refused_in(text, result):
    """Return the numbers of the functions in which something is refused by itself."""
    lines = text.splitlines()
    found = set()
    for finding in result.findings:
        if finding.reason is None or finding.reason.endswith("/beside-another"):
            continue
        assert not finding.reason.endswith("/rolled-back"), finding
        above = [line for line in lines[: finding.line] if line.startswith("def case_")]
        found.add(int(above[-1].removeprefix("def case_").partition("(")[0]))
    return found


@settings(max_examples=EXAMPLES, phases=[Phase.generate], deadline=None)
@given(seed=st.integers(0, 10**6))
def test_random_functions_do_the_same(seed):
    numbers = set(range(FUNCTIONS))
    while numbers:
        text = HEAD + program(seed, sorted(numbers))
        result = rewritten(database=DATABASE, snippet=text)
        if result.report.files:
            after = result.files["snippet.py"].decode()
            assert observed(after, waits=True) == observed(text, waits=False)
            return
        refused = refused_in(text, result)
        assert refused
        numbers -= refused
