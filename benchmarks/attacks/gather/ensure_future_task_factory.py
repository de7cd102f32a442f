import asyncio


def factory(loop, coroutine, **kw):
    task = asyncio.Task(coroutine, loop=loop, **kw)
    names.append((coroutine.__name__, sorted(kw)))
    return task


names = []


async def work():
    return 1


async def main():
    asyncio.get_running_loop().set_task_factory(factory)
    await asyncio.ensure_future(work())
    await asyncio.gather(work(), work())
    print(names)


asyncio.run(main())
