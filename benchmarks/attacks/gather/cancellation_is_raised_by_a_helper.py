# announced: a task that other code cancels raises only when its result is read
import asyncio


def stop(flag):
    if flag:
        raise asyncio.CancelledError


async def quits(flag):
    stop(flag)


async def main():
    try:
        await asyncio.gather(quits(True), quits(False))
        print("finished")
    except asyncio.CancelledError:
        print("cancelled")


asyncio.run(main())
