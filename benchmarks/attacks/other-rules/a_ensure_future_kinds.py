# rules: ensure-future
import asyncio


async def work(n: int) -> int:
    await asyncio.sleep(0)
    return n


class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "awaitable"


async def main() -> None:
    task = asyncio.ensure_future(work(1))
    again = asyncio.ensure_future(task)
    future = asyncio.ensure_future(asyncio.gather(work(2), work(3)))
    other = asyncio.ensure_future(Awaitable())
    print(task is again, type(task).__name__, await task, await future, await other)
    tasks = [asyncio.ensure_future(work(i)) for i in range(3)]
    print([await t for t in tasks], (await asyncio.ensure_future(work(9))) + 1)
    print(await asyncio.wait_for(asyncio.ensure_future(work(4)), 1), {asyncio.ensure_future(work(5)).get_name()[:4]})


asyncio.run(main())
