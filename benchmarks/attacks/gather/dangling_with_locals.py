import asyncio


async def work():
    pass


def start(a):
    asyncio.create_task(work())
    return sorted(locals())


async def main():
    print(start(1))
    await asyncio.sleep(0)


asyncio.run(main())
