"""Waits that only functions of threads can end block the loop; others would wait for the loop."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

NOTES = """\
import threading
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

LocalSession = sessionmaker(create_engine("sqlite:///notes.db"))
app = FastAPI()
kept = []


@app.get("/ended")
async def end():
    kept[0]()


@app.get("/")
def count():
    done = threading.Event()

    def work():
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    done.wait(timeout=5)
    with LocalSession() as db:
        return db.scalar(text("select 1"))
"""
WAITS = "waits-for-others"
SETS = "    thread = threading.Thread(target=work)\n"


def _reasons(text):
    report = rewritten(notes=text).report
    return {reason_of(item) for item in report.findings} - {"", "beside-another"}, report


def test_an_event_among_others_is_one():
    text = NOTES.replace("kept = []", "kept = {}").replace("done", "kept['a']")
    assert _reasons(text)[0] == {WAITS}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("timeout=5", "", ""),
        (SETS, f"{SETS}    kept.append(work)\n", WAITS),
        (SETS, f"{SETS}    kept.append(lambda: done.set())\n", WAITS),
        (SETS, f"{SETS}    kept.append(done.set)\n", WAITS),
        (SETS, f"{SETS}    kept.append(done)\n", WAITS),
        ("target=work", "target=print", WAITS),
        ("    done = threading", "    done = None\n    done = threading", WAITS),
        ("    done = threading", "    global done\n    done = threading", WAITS),
    ],
)
def test_who_ends_a_wait_decides(old, new, reason):
    reasons, report = _reasons(NOTES.replace(old, new))
    assert reasons == ({reason} if reason else set())
    said = [item.message for item in report.findings if item.message.startswith("`count`")]
    assert reason or "`threading.Event.wait` now blocks the event loop" in said[0]
