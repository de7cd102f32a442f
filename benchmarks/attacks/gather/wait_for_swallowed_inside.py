import asyncio


async def stubborn():
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        return "late result"


async def main():
    try:
        result = await asyncio.wait_for(stubborn(), 0.01)
        print("result", result)
    except asyncio.TimeoutError:
        print("timeout")


asyncio.run(main())
