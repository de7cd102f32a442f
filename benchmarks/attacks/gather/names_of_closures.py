import asyncio


async def number(n):
    return n


async def main():
    tg = "outer"
    a_task = "mine"

    def show():
        return tg, a_task

    a = await asyncio.gather(number(1), number(2))
    for task in ("x", "y"):
        pass
    b = await asyncio.gather(*[number(task) for task in range(2)])
    print(a, b, show(), task)


asyncio.run(main())
