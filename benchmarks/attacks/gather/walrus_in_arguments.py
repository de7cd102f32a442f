import asyncio


async def number(n):
    return n


async def main():
    print(await asyncio.gather(number(x := 1), number(x + 1), number(x := x + 5)))
    print(x)
    if (found := await asyncio.gather(number(1), number(2))) and len(found) == 2:
        print(found)


asyncio.run(main())
