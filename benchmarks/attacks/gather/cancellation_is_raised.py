# announced: a task that other code cancels raises only when its result is read
import asyncio


async def quits():
    raise asyncio.CancelledError


async def works():
    await asyncio.sleep(0)


async def main():
    try:
        await asyncio.gather(quits(), works())
        print("finished")
    except asyncio.CancelledError:
        print("cancelled")


asyncio.run(main())
