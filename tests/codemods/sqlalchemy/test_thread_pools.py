"""Blocks with a pool of threads whose workers call what becomes a coroutine function."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
from planned import reason_of, session_to_async

PROGRAM = """
    from concurrent.futures import ThreadPoolExecutor
    from sqlalchemy import text
    from sqlalchemy.orm import sessionmaker

    LocalSession = sessionmaker()

    def work(number: int) -> int:
        with LocalSession() as db:
            return db.scalar(text("select 1")) + number

    def plain(number: int) -> int:
        return number

    def everything(numbers: list[int]):
        found = []
        """


@pytest.mark.parametrize(
    ("block", "is_written"),
    [
        (["list(pool.map(lambda one: work(one), numbers))"], True),
        (["for one in numbers:", "    pool.submit(lambda: work(one))"], True),
        (["results = list(pool.map(lambda one: work(one), numbers))", "print(results)"], True),
        (["pool.submit(lambda: work(1) + 1)"], False),
        (["pool.submit(lambda: work(1))", "pool.submit(lambda: plain(1))"], False),
        (["pool.submit(lambda: work(1))", "work(2)"], False),
        (["return list(pool.map(lambda one: work(one), numbers))"], False),
        (["found = list(pool.map(lambda one: work(one), numbers))"], False),
        (["pool.submit(lambda: found.append(work(1)))"], False),
        (["pool.map(work, numbers)"], False),
    ],
)
def test_a_block_that_only_runs_lambdas_of_one_call_moves_into_a_thread(block, is_written):
    lines = ["with ThreadPoolExecutor() as pool:", *(f"    {one}" for one in block), "found.sort()"]
    text = dedent(PROGRAM).rstrip() + "\n" + indent("\n".join(lines), " " * 4) + "\n"
    findings = session_to_async({"jobs.py": text}).findings
    assert findings
    reasons = {reason_of(one) for one in findings} - {"beside-another", ""}
    assert (not reasons) == is_written, sorted(reasons)
