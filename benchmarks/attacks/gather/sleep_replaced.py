import asyncio

real = asyncio.sleep


async def failing(delay):
    await real(0)
    raise RuntimeError(f"no sleep of {delay}")


async def main():
    try:
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))
    except RuntimeError as error:
        print("caught", error)
    except BaseException as error:
        print("other", type(error).__name__)


asyncio.sleep = failing
asyncio.run(main())
