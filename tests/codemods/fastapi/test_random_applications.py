"""Random applications start and stop as before: every handler once, and in its order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awaken.testing import Case, assert_same_lifecycle, run_case
from awaken.testing.cases import Settings

RECORD = Path(__file__).parents[3] / "fixtures/fastapi/_programs/record/record.py"
HEAD = [
    "from functools import partial",
    "from fastapi import FastAPI",
    "from record import note",
    "def first():",
    '    note("first")',
    'shared = "s"',
    "flag = True",
    "STEADY = True",
]
BODIES = [
    ['note("{0}")'],
    ['value = "{0}"', "note(value)"],
    ['"""Handle {0}."""', 'note("{0}")'],
    ["# handles {0}", 'note("{0}")'],
    ["global shared", 'shared = shared + "{0}"', "note(shared)"],
    ['note("{0}")', "if shared:", "    return", 'note("not shared")'],
    ['note("{0}")', "app.state.last = shared", "note(app.state.last)"],
]
FORMS = {
    "decorator": ['@app.on_event("{event}")', "{define}"],
    "called": ["{define}", 'app.on_event("{event}")({name})'],
    "added": ["{define}", 'app.router.add_event_handler("{event}", {name})'],
    "appended": ["{define}", "app.router.on_{event}.append({name})"],
    "lambda": ['app.router.add_event_handler("{event}", lambda: note("{number}"))'],
    "partial": ['app.router.add_event_handler("{event}", partial(note, "{number}"))'],
    "made": [
        "def make_{number}():",
        "    {define}",
        "    return {name}",
        'app.router.add_event_handler("{event}", make_{number}())',
    ],
}


@st.composite
def handlers(draw, number):
    """Return the lines that define and register one handler."""
    values = {
        "number": str(number),
        "event": draw(st.sampled_from(["startup", "shutdown"])),
        "name": draw(st.sampled_from([f"handler_{number}", f"handler_{number}", "same"])),
    }
    keyword = draw(st.sampled_from(["def", "async def"]))
    body = [line.format(number) for line in draw(st.sampled_from(BODIES))]
    define = [f"{keyword} {values['name']}():", *(f"    {line}" for line in body)]
    lines: list[str] = []
    for line in FORMS[draw(st.sampled_from(sorted(FORMS)))]:
        indent = line[: len(line) - len(line.lstrip())]
        is_definition = line.strip() == "{define}"
        lines += [indent + one for one in define] if is_definition else [line.format(**values)]
    condition = draw(st.sampled_from(["", "", "if flag:", "if not flag:", "if STEADY:"]))
    return [condition, *(f"    {line}" for line in lines)] if condition else lines


@st.composite
def programs(draw):
    """Return a program with one application, made at the top or by a function."""
    arguments = draw(
        st.sampled_from(["", 'title="x"', "on_startup=[first]", "on_shutdown=[first]"])
    )
    lines = [f"app = FastAPI({arguments})"]
    for number in range(draw(st.integers(1, 5))):
        lines += draw(handlers(number))
    lines.append("flag = False")
    if draw(st.booleans()):
        lines = ['shared = "s"', "flag = True", *lines, "return app"]
        lines = [line.replace("global shared", "nonlocal shared") for line in lines]
        lines = ["def create_app():", *(f"    {line}" for line in lines), "app = create_app()"]
    return "\n".join([*HEAD, *lines, ""])


@settings(max_examples=settings().max_examples // 2)
@given(programs())
@pytest.mark.slow
def test_random_applications_start_and_stop_as_before(program):
    record = {"record.py": RECORD.read_bytes()}
    files = {"case.py": program.encode(), **record}
    case = Case(
        name="random",
        family="fastapi",
        rule="on-event-to-lifespan",
        directory=Path(),
        settings=Settings(application="case:app", unsafe=True),
        before=files,
        after=files,
        program=record,
    )
    result = run_case(case)
    assert not result.report.diagnostics
    assert_same_lifecycle(result)
