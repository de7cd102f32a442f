# announced: a task does not see context variables
import asyncio
from contextvars import ContextVar

who = ContextVar("who", default="nobody")
seen = []


def named(name):
    who.set(name)
    return name


async def work(name):
    seen.append((name, who.get()))


async def main():
    await asyncio.gather(work(named("a")), work(named("b")), work(named("c")))
    print(seen)


asyncio.run(main())
