# announced: a task that other code cancels raises only when its result is read
import asyncio


async def quits():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


async def works(out):
    await asyncio.sleep(0.01)
    out.append("worked")


async def main():
    out = []
    try:
        await asyncio.gather(quits(), works(out))
        print("finished")
    except asyncio.CancelledError:
        print("cancelled")
    await asyncio.sleep(0.02)
    print(out)


asyncio.run(main())
