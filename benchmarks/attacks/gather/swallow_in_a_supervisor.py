import asyncio


async def supervised(out):
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            out.append("ignored")
            if len(out) > 1:
                return


async def main():
    out = []
    task = asyncio.create_task(supervised(out))
    for _ in range(2):
        await asyncio.sleep(0.01)
        task.cancel()
    await asyncio.wait([task])
    print(out, task.cancelled())


asyncio.run(main())
