# announced: with its own context variables
import asyncio
from contextvars import ContextVar

user = ContextVar("user", default="none")


async def login(name):
    user.set(name)
    return asyncio.current_task() is outer[0]


outer = []


async def main():
    outer.append(asyncio.current_task())
    same = await asyncio.wait_for(login("ann"), timeout=1)
    print(user.get(), same)


asyncio.run(main())
