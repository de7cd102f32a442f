import asyncio
import functools


def started(function):
    @functools.wraps(function)
    def start(*args):
        return asyncio.get_running_loop().create_task(function(*args))

    return start


@started
async def work(n):
    await asyncio.sleep(0)
    return n


async def main():
    task = asyncio.ensure_future(work(3))
    print(await task, isinstance(task, asyncio.Task))


asyncio.run(main())
