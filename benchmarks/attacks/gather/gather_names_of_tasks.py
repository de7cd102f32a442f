import asyncio


async def name():
    return asyncio.current_task() in asyncio.all_tasks()


async def count():
    return len(asyncio.all_tasks())


async def main():
    print(await asyncio.gather(name(), count(), count()))
    [*found] = await asyncio.gather(*map(lambda f: f(), [name, count]))
    print(found)


asyncio.run(main())
