# rules: executor-to-thread, running-loop
import asyncio

handlers = {"job": lambda x: x + 1}


def work(x):
    return x * 10


async def main():
    global work
    loop = asyncio.get_event_loop()
    first = loop.run_in_executor(None, work, 1)
    work = lambda x: -x
    print(await first, await loop.run_in_executor(None, work, 2))
    print(await loop.run_in_executor(None, handlers["job"], 1))
    results = [await loop.run_in_executor(None, h, 3) for h in (work, handlers["job"], str)]
    print(results)
    print(await loop.run_in_executor(None, lambda: [work(i) for i in range(3)]))


asyncio.run(main())
