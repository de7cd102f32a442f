"""Applications before and after a rewrite: the same requests, and what they do and leave behind."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import re
import sqlite3
import sys
import tempfile
import types
import warnings
from collections import Counter
from contextlib import chdir
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import NamedTuple

import aiosqlite.core
import anyio.to_thread
import httpx
from random_flows import answered, flows
from random_objects import REQUESTS, ROWS, application, surveyed
from random_repositories import repositories
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

_WRITING = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_SYNCHRONOUS = "create_engine("


class Answer(NamedTuple):
    """What a request came to: its answer, the rows, what was written, and connections still out.

    ``error`` is what it raised, if it did; that may differ.
    """

    status: int
    body: object
    rows: object
    written: object
    left: int
    error: str = ""


def migrated(texts, *, rule="session-to-async", beside=("query-to-select",)):
    """Return what the rules make of these files of one project, and what they report."""
    files = {path: text.encode() for path, text in texts.items()}
    case = Case(
        name="it",
        family="sqlalchemy",
        rule=rule,
        directory=Path(),
        settings=Settings(unsafe=True, published=False, beside=beside),
        before=files,
        after=files,
        program={},
    )
    return run_case(case)


def _rows(path):
    with sqlite3.connect(path) as connection:
        connection.text_factory = str
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=str)
            for (name,) in tables.fetchall()
        }


def _made(module):
    synchronous = create_engine("sqlite:///shop.db", poolclass=NullPool)
    module.Base.metadata.create_all(synchronous)
    with sqlite3.connect("shop.db") as connection:
        connection.executescript(ROWS)


def _said(error):
    try:
        return f"{type(error).__name__}: {error}"[:400]
    except Exception:  # noqa: BLE001  the text of an error may read a detached object
        return type(error).__name__


async def _asked(module, written):
    engine = module.engine
    pool = engine.pool
    raised = []

    async def application(scope, receive, send):
        try:
            await module.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  a server logs it
            raised.append(_said(error))

    transport = httpx.ASGITransport(application)
    paths = sorted(
        {one.path for one in module.app.routes if getattr(one, "path", "").endswith("/{key}")}
    )
    answers = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in paths:
            for key, flag in REQUESTS:
                written.clear()
                raised.clear()
                url = path.replace("{key}", str(key))
                response = await client.post(url, params={"flag": flag})
                body = response.json() if response.status_code < 500 else None
                answers[url, flag] = Answer(
                    response.status_code,
                    body,
                    _rows("shop.db"),
                    dict(written),
                    pool.checkedout(),
                    "".join(raised),
                )
    disposed = engine.dispose()
    if disposed is not None:
        await disposed
    return answers


def observed(text, name, place):
    """Return the answers of an application by what was asked."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    Path(place).mkdir()
    try:
        with chdir(place), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(text, f"{name}.py", "exec"), module.__dict__)
            _made(module)
            engine, written = module.engine, Counter()
            synchronous = getattr(engine, "sync_engine", engine)

            @event.listens_for(synchronous, "connect")
            def fast(connection, _record):
                cursor = connection.cursor()
                cursor.execute("PRAGMA synchronous=OFF")
                cursor.execute("PRAGMA journal_mode=MEMORY")
                cursor.close()

            # What is rolled back is not compared: a load ahead may flush what no commit follows.
            pending = Counter()

            @event.listens_for(synchronous, "before_cursor_execute")
            def noted(_connection, _cursor, statement, *_):
                if found := _WRITING.match(statement):
                    pending[" ".join(found.groups())] += 1

            @event.listens_for(synchronous, "commit")
            def committed(_connection):
                written.update(pending)
                pending.clear()

            @event.listens_for(synchronous, "rollback")
            def rolled_back(_connection):
                pending.clear()

            answers = asyncio.run(_asked(module, written))
            # Requests that fail leave coroutines that nobody awaits, which say so when they go.
            gc.collect(1)
            return answers
    finally:
        del sys.modules[name]


class Outcome(NamedTuple):
    """What came of an application: ``refused``, or each request that differs, and both answers.

    It is ``announced`` where the report names a place of the endpoint that may differ.
    """

    refused: bool
    findings: list
    before: str
    after: str
    differences: list
    announced: bool = False


_PLAIN = re.compile(r'@app.post\("/(\d)/{key}"\)\n(?:.+\n)+?    return \w+\n')
SAID = "an endpoint without a response model now includes attributes that the commit used to expire"


_NAMED = re.compile(r"`(?:\w+\.)?endpoint(\d)` becomes a coroutine function: [^;]*; ")


def _answers_of_expired(text, findings):
    """Return the numbers of the endpoints of which the report says that their answers change."""
    said = any(SAID in one.message for one in findings)
    return set(_PLAIN.findall(text)) if said else set()


def _announced(findings):
    """Return the numbers of the endpoints of which the report names places that may differ."""
    found = (_NAMED.match(one.message) for one in findings)
    return {one[1] for one in found if one is not None}


def _lasting(written):
    """Return what was written of a table without as many inserts and deletes as cancel out."""
    tables = {name.rpartition(" ")[2] for name in written}
    gone = {
        table: min(written.get(f"{verb} {table}", 0) for verb in ("INSERT INTO", "DELETE FROM"))
        for table in tables
    }
    found = {
        name: count if name.startswith("UPDATE") else count - gone[name.rpartition(" ")[2]]
        for name, count in written.items()
    }
    return {name: count for name, count in found.items() if count}


def _is_quieter(one, other):
    """Whether fewer updates leave the same rows: what an object has already is not written again.

    After a commit it had forgotten that. Nor is a row updated that is deleted in the same flush.
    A row that is inserted and deleted again counts on neither side.
    """
    one, other = (each._replace(written=_lasting(each.written)) for each in (one, other))
    written = {
        name: other.written.get(name, 0) if name.startswith("UPDATE") else count
        for name, count in one.written.items()
    }
    return one.rows == other.rows and {k: n for k, n in written.items() if n} == other.written


def differences(before, after, expired=()):
    """Yield what was asked where the two sides do not agree.

    A request that failed before may do anything but keep its connection. Of endpoints that answer
    with what is ``expired`` the report says so.
    """
    for asked, one in before.items():
        other = after[asked]
        if asked[0].split("/")[1] in expired and other.status == one.status:
            other = other._replace(body=one.body)
        if _is_quieter(one, other):
            other = other._replace(written=one.written)
        if one.status >= 500:
            if other.left:
                yield asked, one, other
            return
        if one[:-1] != other[:-1]:
            yield asked, one, other
            return


def compared(seeds, make=application):
    """Yield the outcome of each application, by its seed."""
    texts = {f"shop{seed}.py": make(seed) for seed in seeds}
    result = migrated(texts)
    found = {}
    for finding in result.report.findings:
        found.setdefault(finding.place.path, []).append(finding)
    home = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112
    with tempfile.TemporaryDirectory(dir=home) as place:
        for seed in seeds:
            path = f"shop{seed}.py"
            before, after = texts[path], result.files[path].decode()
            findings = found.get(path, [])
            if "create_async_engine" not in after:
                yield seed, Outcome(True, findings, before, after, [])
                continue
            sides = [
                observed(text, f"{side}{seed}", f"{place}/{side}{seed}")
                for side, text in (("before", before), ("after", after))
            ]
            different = [*differences(*sides, _answers_of_expired(before, findings))]
            named = _announced(findings)
            is_said = any(asked[0].split("/")[1] in named for asked, *_ in different)
            yield seed, Outcome(False, findings, before, after, different, is_said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def _shown(seed, outcome, home):
    """Write down an application that differs, and what of it does."""
    where = Path(home) / f"{seed}"
    where.mkdir(parents=True, exist_ok=True)
    (where / "before.py").write_text(outcome.before)
    (where / "after.py").write_text(outcome.after)
    said = [f"{one.level} {one.reason} {one.message}" for one in outcome.findings]
    for (url, flag), before, after in outcome.differences:
        number = url.split("/")[1]
        texts = outcome.before, outcome.after
        said += [f"--- {url} {flag}", *(_endpoint(one, number) for one in texts)]
        for name in Answer._fields:
            sides = getattr(before, name), getattr(after, name)
            if sides[0] != sides[1]:
                said.append(f"{name}:\n  {sides[0]}\n  {sides[1]}")
    (where / "said.txt").write_text("\n".join(said) + "\n")


def _endpoint(text, number):
    start = text.index(f'@app.post("/{number}/')
    end = text.find("\n@app.post", start + 1)
    return text[start : end if end > 0 else None]


class _Inline:
    """Stands for a thread of `aiosqlite`, and for its queue: what is put there runs at once."""

    daemon = True

    def __init__(self, *_, **__):
        pass

    def start(self):
        """Start nothing: there is no thread."""

    def put_nowait(self, item):
        """Run a function, and give its future what came of it."""
        future, function = item
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001  who waits for it gets it
            if future:
                future.set_exception(error)
        else:
            if future:
                future.set_result(result)


async def _in_this_thread(function, *args, **_):
    return copy_context().run(function, *args)


def without_threads():
    """Have one thread do what others would: one request is under way at a time, and waits for it.

    That halves the time of a comparison, and answers, rows and errors are the same.
    """
    aiosqlite.core.SimpleQueue = aiosqlite.core.Thread = _Inline
    anyio.to_thread.run_sync = _in_this_thread


def main(first, last, home, make):
    """Compare the applications from one seed to another, and write down those that differ."""
    logging.disable(logging.CRITICAL)
    without_threads()
    counted = Counter()
    for start in range(first, last, 50):
        for seed, outcome in compared(range(start, min(last, start + 50)), make):
            if outcome.refused:
                counted["refused"] += 1
            elif outcome.differences:
                counted["announced" if outcome.announced else "different"] += 1
                print(seed, end=" ", flush=True)  # noqa: T201
            else:
                counted["same"] += 1
            if outcome.refused or outcome.differences:
                _shown(seed, outcome, f"{home}/{'refused' if outcome.refused else 'different'}")
    print(json.dumps(counted))  # noqa: T201


if __name__ == "__main__":
    # For example: `python compared_applications.py 0 5000 DIFFERENCES wide`, or `surveyed`
    grammars = {
        "wide": partial(application, wide=True),
        "surveyed": surveyed,
        "answered": answered,
        "repositories": repositories,
        "flows": flows,
        "kept": partial(flows, kept=True),
    }
    make = grammars[sys.argv[4]] if sys.argv[4:] else application
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], make)
