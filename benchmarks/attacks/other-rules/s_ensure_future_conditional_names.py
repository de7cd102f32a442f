# rules: ensure-future, running-loop, dangling-task
import asyncio
import sys

if sys.version_info >= (3, 99):
    async def work() -> str:
        return "new"
else:
    def work():
        future = asyncio.get_event_loop().create_future()
        future.set_result("old")
        return future

try:
    from asyncio import create_task
except ImportError:
    from asyncio import ensure_future as create_task


class asyncio_like:
    @staticmethod
    def ensure_future(x):
        return "not asyncio"


async def coroutine() -> str:
    return "coroutine"


async def main(loop=None) -> None:
    print(await asyncio.ensure_future(work()), asyncio_like.ensure_future(1), await create_task(coroutine()))
    spawn = asyncio.ensure_future if loop is None else loop.create_task
    print(await spawn(coroutine()), await asyncio.ensure_future(coroutine(), loop=asyncio.get_event_loop()))
    coroutines = [coroutine(), coroutine()]
    print([await asyncio.ensure_future(c) for c in coroutines])


asyncio.run(main())
