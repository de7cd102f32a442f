"""How exceptions leave the task group, and the file that several sites share."""

from __future__ import annotations

import asyncio
from textwrap import dedent, indent

import pytest

from awaken import api
from awaken.settings import Settings

_JOBS = """\
import asyncio


async def run(name):
    await asyncio.sleep(0)
    return int(name)


async def _both():
    a, b = await asyncio.gather(run("1"), run("2"))
    return a + b
"""
_OTHER = """\
import asyncio

from app.jobs import run


async def every(names):
    return await asyncio.gather(*[run(name) for name in names])
"""
_HELPER = "app/task_groups.py"


@pytest.fixture
def made(tmp_path):
    """Return what becomes of some files, and the messages, with settings of the rule."""

    def run(files, exceptions="unwrap", paths=()):
        manifest = "[project]\nname = 'x'\nversion = '0'\nrequires-python = '>=3.11'\n"
        manifest += f"[tool.awaken.rules.gather-to-taskgroup]\nexceptions = '{exceptions}'\n"
        (tmp_path / "pyproject.toml").write_text(manifest)
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text)
        settings = Settings(select=("gather-to-taskgroup",), unsafe_fixes=True)
        options = api.Options(settings=settings, jobs=1, use_cache=False)
        (root,) = api.run([tmp_path / path for path in paths] or [tmp_path], options).roots
        assert root.diagnostics == ()
        after = {change.path: change.after.text.decode() for change in root.files}
        return after, [finding.message for finding in root.findings]

    return run


@pytest.mark.parametrize("exceptions", ["unwrap", "plain"])
def test_exceptions_are_grouped_where_it_is_asked_for(made, exceptions):
    after, (message,) = made({"jobs.py": _JOBS}, exceptions)
    assert ("except BaseExceptionGroup" in after["jobs.py"]) is (exceptions == "unwrap")
    assert ("`ExceptionGroup`" in message) is (exceptions == "plain")


def test_the_message_says_what_may_change(made):
    _, (message,) = made({"jobs.py": _JOBS})
    assert "cancels the others" in message
    assert "a mock of `gather()` gets no call" in message


def test_two_sites_share_a_class_and_a_third_finds_it(made):
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS, "app/other.py": _OTHER}
    after, _ = made(files)
    assert after.keys() == {"app/jobs.py", "app/other.py", _HELPER}
    third, _ = made({**files, **after, "app/third.py": _OTHER.replace("every", "third")})
    assert third.keys() == {"app/third.py"}
    assert "from app.task_groups import FirstErrorTaskGroup" in third["app/third.py"]


def test_the_file_is_called_otherwise_where_its_name_is_taken(made):
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS, "app/other.py": _OTHER}
    after, _ = made({**files, _HELPER: "# tasks by group\n"})
    assert "app/first_error_task_group.py" in after
    assert "from app.first_error_task_group import" in after["app/jobs.py"]


def test_no_file_is_made_outside_of_the_selected_paths(made):
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS, "app/other.py": _OTHER}
    after, _ = made(files, paths=("app/jobs.py", "app/other.py"))
    assert after.keys() == {"app/jobs.py", "app/other.py"}
    assert all("except BaseExceptionGroup" in text for text in after.values())


def test_packages_beside_each_other_share_nothing(made):
    other = _OTHER.replace("app.jobs", "tools.jobs")
    files = {"app/__init__.py": "", "app/jobs.py": _JOBS}
    files |= {"tools/__init__.py": "", "tools/jobs.py": _JOBS.replace("_both", "_two")}
    after, _ = made({**files, "tools/other.py": other})
    assert after.keys() == {
        "app/jobs.py",
        "tools/jobs.py",
        "tools/other.py",
        "tools/task_groups.py",
    }
    assert "except BaseExceptionGroup" in after["app/jobs.py"]


def test_many_arguments_are_taken(made):
    calls = ", ".join(f'run("{number}")' for number in range(200))
    text = _JOBS.replace('run("1"), run("2")', calls).replace("a, b =", "found =")
    after, _ = made({"jobs.py": text.replace("a + b", "found")})
    assert after["jobs.py"].count("tg.create_task(") == 200


_BOARD = """\
import asyncio


class Board:
    def __init__(self):
        self.event = asyncio.Event()
        self.lock = asyncio.Lock()
        self.future = asyncio.get_running_loop().create_future()
        self.pending = set()
        self.entries = {}


async def step():
    await asyncio.sleep(0.01)
    return 1


async def fails():
    await asyncio.sleep(0)
    raise ValueError

{work}

async def main():
    board = Board()
    try:
        await asyncio.gather(work(board), fails())
    except ValueError:
        await asyncio.sleep(0.03)
    state = board.event.is_set(), board.lock.locked(), board.future.done()
    return *state, len(board.pending), len(board.entries)
"""
_UNDONE = {
    "an event, after success and after an error": (
        """
        try:
            await step()
        except Exception:
            board.event.set()
        else:
            board.event.set()
        """,
        "board.event.set()",
    ),
    "an event after success": ("await step()\nboard.event.set()", "board.event.set()"),
    "an entry of a set": (
        "board.pending.add(1)\nawait step()\nboard.pending.discard(1)",
        "board.pending.discard(1)",
    ),
    "an entry of a dictionary": (
        "board.entries[1] = 2\nawait step()\ndel board.entries[1]",
        "board.entries[1]",
    ),
    "a future": ("board.future.set_result(await step())", "board.future.set_result(await step())"),
    "a lock": ("await board.lock.acquire()\nawait step()\nboard.lock.release()", "release()"),
    "in a block": ("async with asyncio.Lock():\n    await step()\n    board.event.set()", "set()"),
    "in a helper": ("await other(board)", "board.event.set()"),
    "in a helper with a limit": ("await asyncio.wait_for(other(board), 5)", "board.event.set()"),
    "finally": ("try:\n    await step()\nfinally:\n    board.event.set()", ""),
    "a handler of cancellations": (
        """
        try:
            await step()
        except BaseException:
            board.event.set()
            raise
        board.event.set()
        """,
        "",
    ),
    "a handler of cancellations, by another name": (
        """
        future = board.future
        try:
            future.set_result(await step())
        except BaseException as error:
            for one in [board.future]:
                one.set_result(2)
            raise
        """,
        "",
    ),
    "a manager": ("async with board.lock:\n    await step()", ""),
    "before it waits": ("board.event.set()\nawait step()", ""),
    "a lock for a moment": ("await board.lock.acquire()\nboard.lock.release()", ""),
    "a list of its own": ("own = []\nown.append(1)\nawait step()\nown.remove(1)", ""),
}


@pytest.mark.parametrize(("body", "named"), _UNDONE.values(), ids=_UNDONE)
def test_what_a_cancelled_coroutine_leaves_undone_is_named(made, body, named):
    work = f"async def work(board):\n{indent(dedent(body).strip(), '    ')}\n"
    work += "async def other(board):\n    await step()\n    board.event.set()\n"
    before = _BOARD.replace("{work}", work)
    after, (message,) = made({"jobs.py": before})

    states = []
    for text in (before, after["jobs.py"]):
        names = {}
        exec(text, names)
        states.append(asyncio.run(names["main"]()))
    assert (states[0] != states[1]) is bool(named)
    assert (named in message and "belongs in a `finally`" in message) is bool(named)


_LIVES = """\
import asyncio
import weakref

seen = []


class Page:
    pass


async def read():
    page = Page()
    weakref.finalize(page, seen.append, "gone")
    return page


async def main():
    {lines}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen.append("goes on")
"""
_DIE = "results and errors are freed at another time"


@pytest.mark.parametrize(
    ("lines", "differs"),
    [
        ("a, b = await asyncio.gather(read(), read()); del a, b", True),
        ("a, b = await asyncio.gather(read(), read()); a = b = None", True),
        ("pages = await asyncio.gather(read(), read()); pages.clear()", True),
        ("pages = await asyncio.gather(*[read() for _ in seen or 'ab']); del pages", True),
        ("seen.append(len(await asyncio.gather(read(), read())))", True),
        ("await asyncio.gather(read(), read())", False),
        ("pages = await asyncio.gather(read(), read())", False),
    ],
)
def test_who_sees_when_results_die_is_told_that_tasks_hold_them(made, lines, differs):
    text = _LIVES.replace("{lines}", lines.replace("; ", "\n    "))
    after, messages = made({"main.py": text}, exceptions="plain")

    sides = []
    for source in (text, after["main.py"]):
        names: dict[str, object] = {}
        exec(source, names)
        asyncio.run(names["main"]())
        sides.append(names["seen"])
    assert (sides[0] != sides[1]) is differs
    assert _DIE in messages[0]


def test_nothing_is_said_of_results_whose_end_nobody_sees(made):
    _, (message,) = made({"jobs.py": _JOBS})
    assert _DIE not in message


_CONTEXTS = """\
import asyncio
from contextvars import ContextVar

user = ContextVar("user", default="-")


async def seen(name):
    return name, user.get()


def named(name):
    user.set(name)
    return name


def build(name):
    user.set(name)
    return seen(name)


async def main():
    return await asyncio.gather({first}, {second})
"""
_EARLIER = "a task does not see context variables that are set while the next one is made"


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        ('seen("a")', 'seen("b")', False),
        ('seen("a")', 'seen(named("b"))', True),
        ('seen("a")', 'build("b")', True),
        ('build("a")', 'build("b")', True),
        ('build("a")', 'seen("b")', False),
    ],
)
def test_what_sets_context_variables_between_tasks(made, first, second, differs):
    text = _CONTEXTS.replace("{first}", first).replace("{second}", second)
    after, messages = made({"main.py": text}, exceptions="plain")

    sides = []
    for source in (text, after["main.py"]):
        names: dict[str, object] = {}
        exec(source, names)
        sides.append(asyncio.run(names["main"]()))
    assert (sides[0] != sides[1]) is differs
    assert (_EARLIER in messages[0]) is differs
