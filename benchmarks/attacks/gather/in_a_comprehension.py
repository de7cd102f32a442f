import asyncio


async def number(n):
    await asyncio.sleep(0)
    return n


async def main():
    print([await asyncio.gather(number(n), number(n + 1)) for n in range(3)])
    print({n: await asyncio.gather(number(n)) for n in range(2)})
    print([x for x in await asyncio.gather(number(1), number(2)) if x > 1])


asyncio.run(main())
