"""Tasks of workers in session-to-async: what is left alone, and why."""

from __future__ import annotations

import pytest
from planned import reason_of, session_to_async

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(engine)
"""
TASKS = """\
from celery import shared_task
from database import LocalSession


@shared_task
def prune(number: int) -> None:
    with LocalSession() as db:
        db.commit()
"""


def refused(**changed: str) -> list[str]:
    """Return the reasons for which sites of the program with these files are left alone."""
    files = {"database": DATABASE, "tasks": TASKS} | changed
    plan = session_to_async({f"{name}.py": text for name, text in files.items()})
    reasons = [reason_of(one) for one in plan.findings if one.reason]
    return [one for one in reasons if one != "beside-another"]


@pytest.mark.parametrize(
    "use",
    [
        "prune.delay(1)",
        "prune.apply_async((1,), countdown=2)",
        "chain(prune.s(1), prune.si(2))()",
        "print(prune.name)",
    ],
)
def test_what_sends_a_task_stays(use):
    text = f"from celery import chain\nfrom tasks import prune\n\n\ndef send():\n    {use}\n"

    assert refused(app=text) == []


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("app.conf.task_always_eager = True", ["eager-task"]),
        ("app.conf.update(task_always_eager=eager)", ["eager-task"]),
        ("app.conf.update({'task_always_eager': True})", ["eager-task"]),
        ("os.environ['CELERY_TASK_ALWAYS_EAGER'] = '1'", ["eager-task"]),
        ("app.conf.task_always_eager = False", []),
        ("double = MagicMock()\n    double.conf = {'task_always_eager': True}", []),
    ],
)
def test_tasks_that_are_called_at_once_are_left_alone(setting, found):
    text = (
        "import os\nfrom unittest.mock import MagicMock\n\n\n"
        f"def configure(app, eager):\n    {setting}\n"
    )

    assert refused(conftest=text) == found


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("def test():\n    assert prune.apply(args=(1,)).get() is None\n", []),
        ("async def test():\n    assert prune.apply(args=(1,)).get() is None\n", ["handed-on"]),
        ("def test():\n    run_all([prune])\n", ["handed-on"]),
    ],
)
def test_a_task_begins_no_loop_in_a_coroutine(test, found):
    text = f"from tasks import prune\nfrom runs import run_all\n\n\n{test}"

    assert refused(test_tasks=text) == found


def test_tasks_that_workers_call_in_threads_are_left_alone():
    text = TASKS.replace("from celery import shared_task", "import dramatiq")

    assert refused(tasks=text.replace("@shared_task", "@dramatiq.actor")) == ["in-thread"]


def test_a_task_needs_an_engine_that_it_can_close():
    text = DATABASE.replace("engine = create_engine(", "LocalSession = sessionmaker(create_engine(")
    text = text.replace('shop.db")', 'shop.db"))').replace(
        "LocalSession = sessionmaker(engine)", ""
    )

    assert refused(database=text) == ["no-engine"]


def test_the_exception_of_a_worker_would_be_raised_in_the_loop():
    text = TASKS.replace(
        "    with",
        "    try:\n        work()\n    except SoftTimeLimitExceeded:\n        pass\n    with",
    )

    assert refused(tasks=text) == ["interrupted"]


HOOKS = """\
from celery import Celery, Task
from database import LocalSession

app = Celery("shop")


class {name}:
    def on_failure(self, exc, task_id, args, kwargs, einfo):
        with LocalSession() as db:
            db.commit()


class Mailed({bases}):
    {body}


@app.task(base=Mailed)
def mail(number: int) -> None:
    print(number)
"""


@pytest.mark.parametrize(
    ("name", "bases", "body", "use", "found"),
    [
        ("Above(Task)", "Above", "pass", "", []),
        ("Above(app.Task)", "Above", "pass", "", []),
        ("Above(Task)", "Above", "def run(self):\n        super().on_failure(1)", "", ["override"]),
        ("Above(Task)", "Above", "pass", "mail.apply(args=(1,))", ["eager-task"]),
        ("Above(Task)", "Above", "pass", "mail.s(1).apply()", ["eager-task"]),
        ("Above(Task)", "Above", "pass", "mail.on_failure(1, 2, 3, 4, 5)", ["eager-task"]),
        ("Above(Task)", "Above", "pass", "mail.delay(1)", []),
        # What `super()` is there depends on the class that has both.
        ("Mixin", "Mixin, Task", "pass", "", ["override"]),
        (
            "Above(Task)",
            "Task",
            "def __call__(self):\n        with LocalSession() as db:\n            db.commit()",
            "",
            ["override"],
        ),
    ],
)
def test_hooks_of_tasks_run_a_coroutine(name, bases, body, use, found):
    hooks = HOOKS.format(name=name, bases=bases, body=body)
    app = f"from tasks import mail\n\n\nasync def send():\n    {use or 'pass'}\n"

    assert refused(tasks=hooks, app=app) == found
