"""Running coroutines on both sides: what counts as a difference, and what an unsafe rewrite may."""

from __future__ import annotations

import re

import pytest
from two_sides import STEPS, program_in, two_sides

from awaken.testing import assert_same_concurrency

PROGRAM = program_in(STEPS)
HEAD = """\
import asyncio

from steps import note, step


async def quiet(name, pause=1):
    try:
        return await step(name, pause)
    except Exception:
        return None


async def tidy(name):
    try:
        return await step(name, 5)
    finally:
        await asyncio.sleep(1)
        note(f"{name} is tidy")

"""
GATHER = """
async def case_it():
    a, b = await asyncio.gather(step("a", 1), step("b", 2))
    return a, b
"""
UNWRAPPED = """
async def case_it():
    failure = None
    try:
        async with asyncio.TaskGroup() as tg:
            a_task = tg.create_task(step("a", 1))
            b_task = tg.create_task(step("b", 2))
    except BaseExceptionGroup as group:
        failure = group.exceptions[0]
    if failure is not None:
        raise failure
    a, b = a_task.result(), b_task.result()
    return a, b
"""
IN_HANDLER = UNWRAPPED.replace("failure = group.exceptions[0]", "raise group.exceptions[0]")
PLAIN = """
async def case_it():
    async with asyncio.TaskGroup() as tg:
        a_task = tg.create_task(step("a", 1))
        b_task = tg.create_task(step("b", 2))
    a, b = a_task.result(), b_task.result()
    return a, b
"""


def result(before, after, **settings):
    return two_sides(HEAD + before, HEAD + after, PROGRAM, **settings)


def tidily(text):
    return text.replace('step("b", 2)', 'tidy("b")')


def quietly(text):
    return text.replace("step(", "quiet(")


def last_first(text):
    """Start the second task first."""
    return re.sub(r"( +a_task = .*\n)( +b_task = .*\n)", r"\2\1", text)


@pytest.mark.parametrize(
    ("before", "after", "settings"),
    [
        (GATHER, GATHER, {}),
        (GATHER, UNWRAPPED, {"cancels": ("case_*",)}),
        (GATHER, IN_HANDLER, {"cancels": ("case_*",)}),
        (GATHER, PLAIN, {"cancels": ("case_*",), "groups": ("case_it",)}),
        (tidily(GATHER), tidily(UNWRAPPED), {"cancels": ("case_*",)}),
        (GATHER, UNWRAPPED, {"differs": ("case_*",)}),
    ],
)  # fmt: skip
def test_what_an_unsafe_rewrite_says_may_differ(before, after, settings):
    assert_same_concurrency(result(before, after, **settings))


CANCELS = {"cancels": ("case_*",)}


@pytest.mark.parametrize(
    ("after", "settings", "says"),
    [
        (UNWRAPPED, {}, "a fails with ValueError: notes"),
        (GATHER, CANCELS, "1 tasks are left"),
        (GATHER, {"differs": ("case_it",)}, "was said to differ, and does not"),
        (PLAIN, CANCELS, "a fails with ValueError: outcome"),
        (IN_HANDLER.replace("tions[0]", "tions[0] from None"), CANCELS, "a fails with ValueError"),
        (UNWRAPPED.replace("BaseEx", "Ex"), CANCELS, "a fails with Stop: outcome"),
        (UNWRAPPED.replace("return a, b", "return b, a"), CANCELS, "it runs: outcome"),
        (UNWRAPPED.replace("return a, b", "return [a, b]"), CANCELS, "it runs: outcome"),
        (last_first(UNWRAPPED), CANCELS, "it runs: notes"),
        (UNWRAPPED.replace("failure = None", "note('more')"), CANCELS, "it runs: notes"),
        (UNWRAPPED.replace('step("a", 1)', 'step("a", 3)'), CANCELS, "has other steps"),
        ("async def case_other(): pass", CANCELS, "the coroutine functions are not the same"),
    ],
)
def test_what_no_rewrite_may_do(after, settings, says):
    with pytest.raises(AssertionError, match=says):
        assert_same_concurrency(result(GATHER, after, **settings))


def test_the_first_failure_counts():
    b, c = 'step("b", 1)', 'step("c", 3)'
    before = GATHER.replace('step("b", 2)', f"{b}, {c}").replace("a, b =", "a, b, _ =")
    after = UNWRAPPED.replace('step("b", 2))', f"{b})\n            tg.create_task({c})")
    assert_same_concurrency(result(before, after, **CANCELS))
    with pytest.raises(AssertionError, match="a and b fail: outcome"):
        assert_same_concurrency(result(before, after.replace("tions[0]", "tions[-1]"), **CANCELS))


def test_what_is_said_to_cancel_siblings_has_some():
    alone = "async def case_it():\n    return await step('a')\n"
    with pytest.raises(AssertionError, match="said to cancel siblings, and does not"):
        assert_same_concurrency(result(alone, alone, **CANCELS))


def test_siblings_must_have_ended():
    hasty = """
async def case_it():
    a_task, b_task = asyncio.create_task(step("a", 1)), asyncio.create_task(tidy("b"))
    try:
        return await a_task, await b_task
    except BaseException:
        b_task.cancel()
        raise
"""
    with pytest.raises(AssertionError, match="1 tasks are left"):
        assert_same_concurrency(result(tidily(GATHER), hasty, cancels=("case_it",)))


def test_what_raises_nothing_is_the_same():
    assert_same_concurrency(result(quietly(GATHER), quietly(UNWRAPPED)))
