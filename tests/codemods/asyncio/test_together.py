"""Rules of the family run together: what one writes, another one sees in the same run."""

from __future__ import annotations

from textwrap import dedent

import pytest

from awaken import api
from awaken.settings import Settings

WRITTEN = {
    "an await of a sleep": """
        import asyncio, time

        async def main():
            try:
                time.sleep(1)
            except BaseException:
                pass
    """,
    "an await that was missing": """
        import asyncio

        async def work():
            await asyncio.sleep(1)

        async def main():
            try:
                work()
            except BaseException:
                pass
    """,
    "a task group of tasks": """
        import asyncio

        async def work(x):
            await asyncio.sleep(x)

        async def main():
            try:
                tasks = [asyncio.create_task(work(x)) for x in range(3)]
                await asyncio.gather(*tasks)
            except asyncio.CancelledError:
                pass
    """,
    "a limit around a task": """
        import asyncio

        async def main(task):
            try:
                await asyncio.wait_for(task, 5)
            except asyncio.CancelledError:
                pass
    """,
    "a limit around a coroutine": """
        import asyncio

        async def work():
            await asyncio.sleep(1)

        async def main():
            for number in range(3):
                try:
                    await asyncio.wait_for(asyncio.shield(work()), 3)
                except asyncio.CancelledError:
                    print(number)
    """,
    "a limit of asyncio": """
        import asyncio, async_timeout

        async def main(task):
            try:
                async with async_timeout.timeout(3):
                    await task
            except asyncio.CancelledError:
                pass
    """,
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_second_run_changes_nothing(text, tmp_path):
    names = [one.name for one in api.rules() if one.family == "asyncio"]
    settings = Settings(select=tuple(names), unsafe_fixes=True, target_version="py311")
    options = api.Options(settings=settings, jobs=1, use_cache=False)
    file = tmp_path / "main.py"
    file.write_text(dedent(text).lstrip())

    (first,) = api.run([tmp_path], options).roots
    for change in first.files:
        file.write_bytes(change.after.text)
    (second,) = api.run([tmp_path], options).roots

    assert first.files
    assert first.diagnostics == second.diagnostics == ()
    assert second.files == ()
