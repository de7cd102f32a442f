import asyncio

tg = "module tg"
tasks = ["module tasks"]
task = "module task"
group = "module group"


async def number(n):
    return n


async def main():
    a, b = await asyncio.gather(number(1), number(2))
    all_of_them = await asyncio.gather(*[number(n) for n in range(3)])
    print(a, b, all_of_them, tg, tasks, task, group)


asyncio.run(main())
print(tg, tasks, task, group)
