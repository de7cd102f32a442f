import asyncio


async def number(n):
    await asyncio.sleep(0)
    return n


async def main():
    coroutines = []
    for n in range(3):
        coroutines.append(number(n))
    coroutines.insert(0, number("first"))
    print(await asyncio.gather(*coroutines))
    print(len(coroutines), [type(c).__name__ for c in coroutines])


asyncio.run(main())
