import asyncio


async def slow_end(out):
    try:
        await asyncio.sleep(1)
    finally:
        await asyncio.sleep(0.01)
        out.append("ended")


async def both(out):
    try:
        await asyncio.gather(slow_end(out), slow_end(out))
    except asyncio.CancelledError:
        out.append("caller")
        raise


async def main():
    out = []
    task = asyncio.create_task(both(out))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        out.append("main")
    await asyncio.sleep(0.05)
    print(out)


asyncio.run(main())
