import asyncio


async def number(n):
    await asyncio.sleep(0)
    return n


async def pages():
    for n in range(3):
        yield await asyncio.gather(number(n), number(n * 10))
    first, second = await asyncio.gather(number("a"), number("b"))
    yield first + second


async def main():
    async for page in pages():
        print(page)
        if page == [1, 10]:
            break
    print([page async for page in pages()])


asyncio.run(main())
