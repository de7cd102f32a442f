# rules: ensure-future, dangling-task
import asyncio
import functools


def background(function):
    @functools.wraps(function)
    def wrapper(*args):
        return asyncio.get_running_loop().create_task(function(*args))

    return wrapper


def cached(function):
    results: dict = {}

    @functools.wraps(function)
    def wrapper(*args):
        if args not in results:
            results[args] = asyncio.ensure_future(function(*args))
        return results[args]

    return wrapper


@background
async def job(n: int) -> int:
    await asyncio.sleep(0)
    return n


@cached
async def load(n: int) -> int:
    return n * 2


async def main() -> None:
    print(await asyncio.ensure_future(job(1)), await asyncio.ensure_future(load(2)), load(2) is asyncio.ensure_future(load(2)))
    job(3)
    load(4)
    asyncio.ensure_future(load(5))
    await asyncio.sleep(0)
    print(load(5).result())


asyncio.run(main())
