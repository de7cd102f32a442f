import asyncio


class Job:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "job"


async def coroutine():
    return await Job()


async def main(flag):
    make = coroutine if flag else Job
    print(await asyncio.ensure_future(make()))


asyncio.run(main(True))
asyncio.run(main(False))
