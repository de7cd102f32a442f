"""Programs that gather coroutines: shapes that are rewritten, and shapes that stay."""

from __future__ import annotations

HEAD = """\
import asyncio
from asyncio import gather as g

from sqlalchemy.ext.asyncio import AsyncSession
from steps import note, step


class Box:
    pass


async def load(name):
    return await step(name, "abcd".index(name) + 1)


async def pair(key):
    return key, await load(key)


async def numbered(number):
    return number, await step(str(number), number)


async def pages():
    for numbers in ((1, 2), (3, 4)):
        for page in await asyncio.gather(*[numbered(number) for number in numbers]):
            yield page
"""

REWRITTEN = {
    "tuple": """
        first, second = await asyncio.gather(load("a"), load("b"))
        return first, second
    """,
    "comprehension": """
        found = await asyncio.gather(*[load(name) for name in "abc"])
        return found
    """,
    "generator_by_other_name": """
        return await g(*(load(name) for name in "ab"))
    """,
    "list_called_tasks": """
        tasks = [load(name) for name in "ab"]
        return await asyncio.gather(*tasks)
    """,
    "appended_in_a_loop": """
        jobs, names, found = [], [], {}
        for name in "abc":
            if name == "b":
                continue
            jobs.append(load(name))
            names.append(name)
        for result, name in zip(await asyncio.gather(*jobs), names):
            found[name] = result
        return found
    """,
    "tasks_made_before": """
        tasks = [asyncio.create_task(load(name)) for name in "ab"]
        return await asyncio.gather(*tasks)
    """,
    "mixed": """
        first, *rest = await asyncio.gather(load("a"), *(load(x) for x in "bc"), load("d"))
        return first, rest
    """,
    "dictionary": """
        return dict(await asyncio.gather(*(pair(key) for key in "ab")))
    """,
    "loop_and_comprehension": """
        found = []
        for one in await asyncio.gather(load("a"), load("b")):
            found.append(one)
        kept = [one for one in await asyncio.gather(load("c"), load("d")) if one != "c"]
        return found, kept
    """,
    "ignored": """
        await asyncio.gather(*(load(name) for name in "ab"), load("c"))
        note("after")
    """,
    "attributes_and_annotation": """
        box = Box()
        box.a, box.b = await asyncio.gather(load("a"), load("b"))
        both: list[str] = await asyncio.gather(load("c"), load("d"))
        return box.a, box.b, both
    """,
    "two_fail_at_once": """
        return await asyncio.gather(step("a"), step("b"), step("c", 2))
    """,
    "handler": """
        try:
            first, second = await asyncio.gather(load("a"), load("b"))
        except ValueError as error:
            return "handled", str(error)
        else:
            return first, second
    """,
    "time_limit": """
        try:
            return await asyncio.wait_for(asyncio.gather(load("a"), load("d")), timeout=2.5)
        except asyncio.TimeoutError:
            return "timeout"
    """,
    "empty_list": """
        return await asyncio.gather(*[load(name) for name in ""])
    """,
    "one_argument": """
        (only,) = await asyncio.gather(load("a"))
        return only
    """,
    "index": """
        return (await asyncio.gather(load("a"), load("b")))[1]
    """,
    "in_an_async_generator": """
        return [page async for page in pages()]
    """,
    "assigned_from_itself": """
        index, names = 0, [0, 0]
        index, names[index] = await asyncio.gather(numbered(1), load("b"))
        return index, names
    """,
}
"""Bodies of coroutine functions ``case_<name>``."""

STAYS = {
    "return-exceptions": "return await asyncio.gather(step('a'), return_exceptions=True)",
    "not-awaited": "group = asyncio.gather(step('a'))\nreturn await group",
    "not-a-coroutine": "return await asyncio.gather(*given)",
    "position/if": "return dict(await asyncio.gather(pair('a'))) if given else {}",
    "position/and": "return given and await asyncio.gather(step('a'), step('b'))",
    "position/while": "while any(await asyncio.gather(step('a'), step('b'))):\n    break",
    "position/element": "return [await asyncio.gather(step(x), step(x)) for x in given]",
    "position/assert": "assert await asyncio.gather(step('a'), step('b'))",
    "shield": "return await asyncio.shield(asyncio.gather(step('a'), step('b')))",
    "shared-session": "return await asyncio.gather(given.execute(1), given.execute(2))",
    "loop-kw": "return await asyncio.gather(step('a'), loop=given)",
    "await-in-arg": "return await asyncio.gather(step(note('a')), step(await step('b')))",
    "dup-awaitable": "one = step('a')\nreturn await asyncio.gather(one, one)",
}
"""Bodies of coroutine functions with a parameter ``given``, by the reason for which they stay."""
