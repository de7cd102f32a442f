"""Rules whose changes are what others wait for: one run makes all of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from awaken import api
from awaken.settings import Settings

RULES = ("executor-to-thread", "session-to-async")
MANIFEST = """\
[project]
name = "shop"
version = "0"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2", "aiosqlite"]
"""
PROGRAM = """\
import asyncio
from functools import partial

from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite:///shop.db"))


def load(number, *, times=1):
    with SessionLocal() as db:
        return db.scalar(text("select :number"), {{"number": number}}) * times


async def main():
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, {work}))


if __name__ == "__main__":
    asyncio.run(main())
"""


def rewritten(root):
    settings = Settings(select=RULES, unsafe_fixes=True, published=False)
    options = api.Options(settings=settings, isolated=True, jobs=1, use_cache=False)
    (report,) = api.run([root], options).roots
    assert report.diagnostics == ()
    for one in report.files:
        (root / one.path).write_bytes(one.after.text)
    return {one.rule for one in report.changes}


def printed(root):
    command = [sys.executable, "main.py"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("work", ["lambda: load(3)", "partial(load, 3, times=2)"])
def test_what_a_thread_runs_is_asynchronous_after_one_run(work, tmp_path):
    (tmp_path / "pyproject.toml").write_text(MANIFEST)
    (tmp_path / "main.py").write_text(PROGRAM.format(work=work))
    before = printed(tmp_path)

    assert rewritten(tmp_path) == set(RULES)
    assert printed(tmp_path) == before
    assert rewritten(tmp_path) == set()
