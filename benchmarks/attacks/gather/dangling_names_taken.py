import asyncio

_background_tasks = []
task = "mine"


async def work(out):
    out.append(1)


async def main():
    out = []
    asyncio.create_task(work(out))
    asyncio.create_task(work(out))
    await asyncio.sleep(0.01)
    print(out, task, _background_tasks)


asyncio.run(main())
