import asyncio


async def number(n):
    await asyncio.sleep(0)
    return n


async def main():
    found = await asyncio.gather(*(number(n) for n in range(4)))
    found.append(9)
    print(type(found).__name__, found, found is not None)
    one, *rest = await asyncio.gather(number(1), number(2), number(3))
    print(one, rest)


asyncio.run(main())
