import asyncio
import functools


@functools.lru_cache
def shared():
    return asyncio.ensure_future(work())


async def work():
    await asyncio.sleep(0)
    return object()


async def main():
    one, other = asyncio.ensure_future(shared()), asyncio.ensure_future(shared())
    print(await one is await other, one is other)
    alone = asyncio.ensure_future(work())
    print(alone is not one, alone.get_name().startswith("Task-"))
    await alone


asyncio.run(main())
