import asyncio


async def stubborn(out):
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        out.append("no")
    return 7


async def both(out):
    return await asyncio.gather(stubborn(out), stubborn(out))


async def main():
    out = []
    task = asyncio.create_task(both(out))
    await asyncio.sleep(0.01)
    task.cancel()
    try:
        print(await task)
    except asyncio.CancelledError:
        print("cancelled")
    print(out)


asyncio.run(main())
