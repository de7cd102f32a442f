import asyncio


async def number(n):
    await asyncio.sleep(0)
    return n


async def main():
    one = number(1)
    coroutines = [one, number(2), one]
    print(await asyncio.gather(*coroutines))


asyncio.run(main())
