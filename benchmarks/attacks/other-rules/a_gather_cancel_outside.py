# rules: gather-to-taskgroup
import asyncio


async def part(n: int) -> int:
    await asyncio.sleep(0.01 * n)
    return n


async def all_parts() -> list[int]:
    return await asyncio.gather(part(1), part(2))


async def main() -> None:
    task = asyncio.create_task(all_parts())
    await asyncio.sleep(0.005)
    task.cancel("stop")
    try:
        await task
    except asyncio.CancelledError as error:
        print("cancelled", error.args)
    future = asyncio.gather(part(0), part(0))
    print(future.done(), await future)
    future = asyncio.gather(part(1), part(1), return_exceptions=True)
    print(await future)
    for result in await asyncio.gather(part(0), part(1)):
        print(result)


asyncio.run(main())
