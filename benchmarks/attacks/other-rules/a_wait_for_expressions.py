# rules: wait-for-to-timeout
# python: 3.12
import asyncio


async def slow(n: float, value: str = "v") -> str:
    await asyncio.sleep(n)
    return value


async def pick(cond: bool) -> str:
    return await asyncio.wait_for(slow(0, "a") if cond else slow(5, "b"), timeout=0.01)


async def main() -> None:
    print(await pick(True))
    try:
        await pick(False)
    except asyncio.TimeoutError as error:
        print("TimeoutError", repr(error), type(error.__cause__).__name__)
    result = await asyncio.wait_for(slow(0), None)
    values = [await asyncio.wait_for(slow(0, str(i)), 1) for i in range(2)]
    x, y = await asyncio.wait_for(asyncio.gather(slow(0), slow(0)), 1)
    print(result, values, x, y, await asyncio.wait_for(slow(0, "k"), timeout=1) + "!")
    task = asyncio.create_task(slow(5))
    try:
        await asyncio.wait_for(asyncio.shield(task), 0.01)
    except TimeoutError:
        print(task.cancelled(), task.done())
    task.cancel()
    for seconds in (0, -1):
        try:
            await asyncio.wait_for(slow(0), seconds)
        except TimeoutError:
            print("no time")


asyncio.run(main())
