"""Rows come back as they were written or not at all, whatever happened to the file."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import sqlite3
import time
from contextlib import closing

import pytest

from awaken.project.store import table as table_module
from awaken.project.store.table import Table

SECRET = b"s" * 32


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "summaries.sqlite"
    path.touch(0o600)
    return path


def key(number):
    return number.to_bytes(32)


def row(number):
    return b"%d " % number * 50


def filled(file, count=20):
    table = Table(file, SECRET)
    for number in range(count):
        table.put(key(number), row(number))
    table.save()


def found(file, count=20, secret=SECRET):
    table = Table(file, secret)
    rows = {number: table.get(key(number)) for number in range(count)}
    table.save()
    assert all(value in {None, row(number)} for number, value in rows.items())
    return [number for number, value in rows.items() if value is not None]


def changed(file, statement, *values):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement, values)


def test_rows_come_back_in_the_next_run(file):
    filled(file)
    assert found(file) == list(range(20))
    assert Table(file, SECRET).get(key(99)) is None


def test_rows_of_an_empty_or_missing_file_are_absent(file):
    assert found(file) == []
    file.unlink()
    assert found(file) == []
    filled(file)
    assert not file.exists()


def test_rows_that_somebody_else_wrote_are_absent(file):
    filled(file)
    assert found(file, secret=b"t" * 32) == []
    changed(file, "UPDATE summaries SET summary = ? WHERE key = ?", row(2), key(1))
    changed(file, "UPDATE summaries SET key = ? WHERE key = ?", key(30), key(2))
    changed(file, "UPDATE summaries SET summary = 'text' WHERE key = ?", key(3))
    assert found(file, 40) == [0, *range(4, 20)]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE summaries",
        "ALTER TABLE summaries RENAME COLUMN summary TO other",
        "CREATE TRIGGER no BEFORE INSERT ON summaries BEGIN SELECT RAISE(FAIL, 'no'); END",
    ],
)
def test_a_foreign_schema_gives_no_answer_and_no_error(file, statement):
    filled(file)
    changed(file, statement)
    assert set(found(file)) <= set(range(20))
    filled(file)


def test_a_torn_file_is_emptied_and_filled_again(file):
    filled(file, 500)
    whole = file.read_bytes()
    for seed in range(12):
        damaged, rng = bytearray(whole), random.Random(seed)
        if seed % 3 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        for _ in range(200 if seed % 3 else 0):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        file.write_bytes(damaged if seed % 5 else os.urandom(5_000))
        found(file, 500)
        filled(file)
        filled(file)
        assert set(range(20)) <= set(found(file)), seed


def test_a_file_that_cannot_be_written_still_answers(file):
    filled(file)
    file.chmod(0o400)
    file.parent.chmod(0o500)
    try:
        filled(file, 30)
        assert found(file) == list(range(20))
    finally:
        file.parent.chmod(0o700)


def test_without_room_all_new_rows_are_left_out(file):
    filled(file, 5)

    def write():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        filled(file, 1_000)

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert found(file, 1_000) == list(range(5))
    filled(file, 1_000)
    assert found(file, 1_000) == list(range(1_000))


def test_ten_runs_at_once_lose_nothing_but_time(file):
    def run(first):
        table = Table(file, SECRET)
        for number in range(first, first + 200):
            if table.get(key(number)) not in {None, row(number)}:
                os._exit(3)
            table.put(key(number), row(number))
        table.save()

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=run, args=(50 * at,)) for at in range(10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 10
    found(file, 650)
    filled(file, 650)
    assert found(file, 650) == list(range(650))


def test_a_forked_process_saves_what_it_added_when_it_ends(file):
    filled(file, 5)
    table = Table(file, SECRET)
    table.put(key(7), row(7))
    assert table.get(key(1)) == row(1)

    def work():
        assert table.get(key(2)) == row(2)
        assert table.get(key(7)) is None
        table.put(key(8), row(8))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert table.get(key(8)) == row(8)
    table.save()
    assert found(file) == [0, 1, 2, 3, 4, 7, 8]


def test_the_rows_used_last_stay_where_there_are_too_many(file, monkeypatch):
    day = 86_400
    now = time.time()
    for days_ago, numbers in ((30, range(200)), (20, range(200, 400)), (0, range(400, 460))):
        monkeypatch.setattr(table_module.time, "time", lambda ago=days_ago: now - ago * day)
        table = Table(file, SECRET, keep_bytes=100_000)
        for number in numbers:
            table.put(key(number), row(number))
        # used again, so kept
        table.get(key(0))
        table.save()
    kept = found(file, 460)
    assert 0 in kept
    assert set(range(400, 460)) <= set(kept)
    assert not set(range(1, 100)) & set(kept)
    assert file.stat().st_size < 250_000


@pytest.mark.parametrize("new", [[], [1], [1, 300]])
def test_a_file_far_too_large_is_emptied(file, new):
    filled(file, 200)
    table = Table(file, SECRET, keep_bytes=10_000)
    for number in new:
        table.put(key(number), row(number))
    table.save()
    assert found(file) == []
    assert file.stat().st_size == 0
