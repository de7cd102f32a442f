import asyncio


def add(a, b):
    return a + b


async def main():
    loop = asyncio.get_event_loop()

    def started():
        return loop.is_running()

    one = await loop.run_in_executor(None, add, 1, 2)
    exec("found = loop.is_running()")
    print(one, started(), eval("loop.is_running()"))


asyncio.run(main())
