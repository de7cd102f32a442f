import asyncio


async def work():
    pass


def start():
    asyncio.create_task(work())


async def main():
    start()
    await asyncio.sleep(0)


asyncio.run(main())
print([name for name in globals() if not name.startswith("__")])
