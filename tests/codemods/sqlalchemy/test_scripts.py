"""Statements of scripts: a coroutine function runs them, and they do the same in the same order."""

from __future__ import annotations

import asyncio
import sys
from functools import cache

import pytest
from planned import forgotten_coroutines, printed, rewritten

DATABASE = """\
from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")


def num(x):
    with Session(engine) as session:
        return session.scalar(select(literal(x * 10)))
"""
HEAD = "from database import num\n"
UNDER_MAIN = {
    "names-that-functions-read": """\
def shown():
    return f"{first} and {second}"


if __name__ == "__main__":
    print("begin")
    first = num(1)
    second = num(first)
    print(shown())
""",
    "names-bound-before": """\
total = 1
for each in range(2):
    total += each

if __name__ == "__main__":
    total = total + num(1)
    for each in range(each, 3):
        total += num(each)
    print(total)
""",
    "names-of-builtins": """\
if __name__ == "__main__":
    id = id(None) and num(1)
    max = max(id, num(2))
    print(id, max)
""",
    "names-in-classes": """\
if __name__ == "__main__":
    size = num(1)

    class Shelf:
        size = size + 1

    print(Shelf.size, num(size))
""",
    "names-that-functions-bind": """\
count = 0

if __name__ == "__main__":

    def counted(x):
        global count
        count += 1
        return num(x)

    print(counted(1), counted(2), count)
""",
    "a-loop-of-their-own": """\
import asyncio


async def twice(x):
    await asyncio.sleep(0)
    return 2 * x


if __name__ == "__main__":
    first = num(1)
    print(asyncio.run(twice(first)), num(2))
""",
    "what-is-left-by-an-exit": """\
import sys

if __name__ == "__main__":
    if num(1) == 10 and num(2) == 20:
        print("leaving")
        sys.exit(3)
    print("still there")
""",
    "what-runs-a-loop-behind-them": """\
import serving

if __name__ == "__main__":
    for x in range(2):
        print(num(x), num(x + 1))
    kept = num(3)
    serving.serve(kept)
    print("served")
""",
}
OF_FILES = {
    "without-functions": """\
from time import time

first = num(1)
# The second one.
second = num(first)

text = \"\"\"several
  lines\"\"\"
print(first, second, text, time() > 0)
""",
    "with-a-function": """\
numbers: list[int] = []


def added(x):
    numbers.append(x)
    return sum(numbers)


first: int = num(1)
print(added(first), added(num(2)))
for x in numbers:
    print(f"{x} of {len(numbers)}")
""",
}
REFUSED = {
    "a-server-in-the-middle": (
        "loop-inside",
        """\
import uvicorn

if __name__ == '__main__':
    print(num(1))
    uvicorn.run('it:app')
    print(num(2))
""",
    ),
    "a-server-of-a-function-in-the-middle": (
        "loop-inside",
        """\
import uvicorn


def serve():
    uvicorn.run('it:app')


if __name__ == '__main__':
    print(num(1))
    serve()
    print(num(2))
""",
    ),
    "a-loop-in-a-function": (
        "loop-inside",
        """\
import asyncio


def main():
    num(1)
    asyncio.new_event_loop().run_forever()


if __name__ == '__main__':
    main()
""",
    ),
    "a-command-in-the-middle": (
        "loop-inside",
        """\
import click


@click.command()
def show():
    print(num(1))


if __name__ == '__main__':
    print(num(1))
    show()
    print(num(2))
""",
    ),
    "names-looked-at": (
        "at-import",
        "if __name__ == '__main__':\n    first = num(1)\n    print(globals(), num(2))\n",
    ),
    "names-with-annotations": (
        "at-import",
        """\
def shown():
    return first


if __name__ == '__main__':
    first: int = num(1)
    print(shown(), num(2))
""",
    ),
    "all-names-of-a-file": (
        "at-import",
        "if __name__ == '__main__':\n    num(1)\n    from os import *\n    num(2)\n",
    ),
    "statements-on-one-line": (
        "at-import",
        "if __name__ == '__main__':\n    a = 1; print(num(a))\n    print(num(2))\n",
    ),
    "an-engine-of-a-session": (
        "no-twin",
        """\
from database import engine
from sqlalchemy.orm import Session

with Session(engine) as session:
    with session.get_bind().connect() as connection:
        print(connection, num(1))
""",
    ),
}
IMPORTED = {
    "an-application-of-another-file": "from served import api\n\nprint(num(1), num(2))\n",
    "imported": "first = num(1)\nsecond = num(2)\n",
    "named-by-a-text": "first = num(1)\nsecond = num(2)\n",
}
BESIDE = {
    "an-application-of-another-file": {
        "served": "from fastapi import FastAPI\n\napi = FastAPI()\n"
    },
    "imported": {"other": "def later():\n    import script\n    return script.first\n"},
    "named-by-a-text": {"other": "import uvicorn\n\nuvicorn.run('script:first')\n"},
}


@cache
def all_rewritten():
    """Return the texts after; one run for all, as nothing in them is refused."""
    scripts = UNDER_MAIN | OF_FILES
    names = {name: name.replace("-", "_") for name in scripts}
    texts = {names[name]: HEAD + text for name, text in scripts.items()}
    made = rewritten(database=DATABASE, **texts).files
    return {name: made[f"{file}.py"].decode() for name, file in names.items()}


class Serving:
    """A server: it runs a loop of its own, which cannot be inside of another one."""

    @staticmethod
    def serve(given):
        asyncio.run(asyncio.sleep(0))
        sys.stdout.write(f"serving {given}\n")


def observed(source, printed, *, waits):
    """Return how a script ends, and what it prints. With ``waits`` it calls coroutine functions."""

    def num(x):
        sys.stdout.write(f"asked for {x}\n")
        return x * 10

    async def coroutine_function(x):
        await asyncio.sleep(0)
        return num(x)

    async def closing_connections(work):
        return await work

    names = {
        "__name__": "__main__",
        "num": coroutine_function if waits else num,
        "closing_connections": closing_connections,
        "serving": Serving,
    }
    lines = [
        line
        for line in source.splitlines(keepends=True)
        if not line.startswith(("from database", "from served", "import serving"))
    ]
    code = compile("".join(lines), "script", "exec")
    end: object = None
    with forgotten_coroutines():
        try:
            exec(code, names)
        except SystemExit as error:
            end = error.code
    return end, printed.readouterr()


@pytest.mark.parametrize("name", UNDER_MAIN | OF_FILES)
def test_the_same_is_done_in_the_same_order(name, capsys):
    after = all_rewritten()[name]
    assert "async def main() -> None:" in after
    before = observed(HEAD + (UNDER_MAIN | OF_FILES)[name], capsys, waits=False)
    assert "asked for" in before[1].out, "nothing is asked of the database"
    assert observed(after, capsys, waits=True) == before


@pytest.mark.parametrize("name", REFUSED)
def test_a_script_is_left_as_it_is(name):
    reason, text = REFUSED[name]
    result = rewritten(database=DATABASE, script=HEAD + text)
    assert f"session-to-async/{reason}" in {one.reason for one in result.findings}
    assert result.files["script.py"] == (HEAD + text).encode()


@pytest.mark.parametrize("name", IMPORTED)
def test_a_file_that_others_import_makes_its_calls_in_threads(name, capsys):
    before = HEAD + IMPORTED[name]
    after = rewritten(database=DATABASE, script=before, **BESIDE[name]).files["script.py"].decode()
    assert "async def main()" not in after
    assert after.count("ThreadPoolExecutor().submit(") == IMPORTED[name].count("num(")
    assert observed(after, capsys, waits=True) == observed(before, capsys, waits=False)


SETTINGS = """\
import os

URL = os.environ.get("UNSET_URL", "sqlite://")
"""
ONE_CALL = {
    "script": "from database import num\n\nprint(num(1))\n",
    "test_script": "from database import num\n\n\nclass Row: ...\n\n\nprint(num(1))\n",
    "test_of_statements": "from database import num\n\nfirst = num(1)\nprint(num(first))\n",
}


@pytest.mark.parametrize("name", ONE_CALL)
def test_a_script_may_be_named_like_a_test_and_make_one_call(name, tmp_path, capsys, monkeypatch):
    texts = {"database": DATABASE, name: ONE_CALL[name]}
    before = {f"{file}.py": text.encode() for file, text in texts.items()}
    after = rewritten(**texts).files
    assert b"asyncio.run(" in after[f"{name}.py"]
    said = [
        printed(f"{name}.py", files, tmp_path / folder, capsys, monkeypatch)
        for folder, files in {"before": before, "after": after}.items()
    ]
    assert said[0] == said[1] != ""


def test_a_file_in_which_a_runner_finds_a_test_keeps_a_database_in_memory():
    text = f"{ONE_CALL['script']}\n\ndef test_nothing(): ...\n"
    after = rewritten(database=DATABASE, test_script=text).files["test_script.py"]
    assert b"\nprint(asyncio.run(num(1)))\n" in after


OF_ITS_OWN_ENGINE = """\
from sqlalchemy import create_engine, literal, select

from settings import URL

engine = create_engine(URL)

with engine.connect() as connection:
    print(connection.scalar(select(literal(1))))
"""


def test_a_script_has_its_engine_and_what_closes_it_above_its_function(
    tmp_path, capsys, monkeypatch
):
    texts = {"settings": SETTINGS, "script": OF_ITS_OWN_ENGINE}
    after = rewritten(**texts).files
    assert b"async def closing_connections" in after["script.py"].partition(b"async def main")[0]
    before = {f"{name}.py": text.encode() for name, text in texts.items()}
    for name, files in {"before": before, "after": after}.items():
        with forgotten_coroutines():
            said = printed("script.py", files, tmp_path / name, capsys, monkeypatch)
        assert said == "1\n", name
