"""Runs the coroutines of all cases by other Pythons, with tasks that are eager and not.

    uv run python benchmarks/other_pythons.py PYTHON...

A case passes where both sides do the same, as in the tests, which run this Python alone. Tasks are
eager where Python has ``asyncio.eager_task_factory``, which came with 3.12.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from awaken import api
from awaken.testing import Case, assert_same_concurrency, load_cases, page_cases, run_case
from awaken.testing.concurrency import observed_runs
from awaken.testing.concurrency.observed_runs import Request, Run

FIXTURES = Path(__file__).parents[1] / "fixtures"
HAS_EAGER = "import asyncio; print(hasattr(asyncio, 'eager_task_factory'))"


def observe_by(
    python: str, case: Case, files: Mapping[str, bytes], eager: bool
) -> dict[str, dict[str, Run]]:
    """Run the coroutine functions of one side by another interpreter."""
    texts = {path: content.decode() for path, content in files.items()}
    request = Request(texts, "case", case.settings.functions, eager)
    # Isolated: what is installed here is of another version.
    command = [python, "-I", observed_runs.__file__]
    done = subprocess.run(
        command, input=json.dumps(request._asdict()), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{python} failed:\n{done.stderr}")
    answer: dict[str, dict[str, list[Any]]] = json.loads(done.stdout)
    return {
        name: {run: Run(*seen) for run, seen in found.items()} for name, found in answer.items()
    }


def main(pythons: list[str]) -> int:
    cases = (*load_cases(FIXTURES / "asyncio"), *page_cases(api.rules()))
    results = [run_case(case) for case in cases if case.runs_coroutines]
    failed = 0
    for python in pythons:
        said = subprocess.run([python, "-c", HAS_EAGER], capture_output=True, text=True, check=True)
        for eager in (False, True) if said.stdout.strip() == "True" else (False,):
            wrong = 0
            for result in results:
                try:
                    assert_same_concurrency(result, partial(observe_by, python), eager=eager)
                except AssertionError as error:
                    wrong += 1
                    print(f"{result.case.identifier}: {error}")
            print(f"{python}, eager={eager}: {len(results)} cases, {wrong} wrong")
            failed += wrong
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
