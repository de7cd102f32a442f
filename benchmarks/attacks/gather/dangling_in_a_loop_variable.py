import asyncio


async def work(out, n):
    await asyncio.sleep(0)
    out.append(n)


def start(out):
    task = "before"
    for n in range(3):
        asyncio.create_task(work(out, n))
    return task


async def main():
    out = []
    print(start(out))
    await asyncio.sleep(0.02)
    print(out)


asyncio.run(main())
