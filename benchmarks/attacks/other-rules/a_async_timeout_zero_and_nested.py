# rules: async-timeout-to-asyncio
# needs: async-timeout
import asyncio
from async_timeout import timeout


async def get(seconds):
    async with timeout(seconds):
        await asyncio.sleep(0)
        return seconds


async def main() -> None:
    for seconds in (1, None, 0.5):
        print(await get(seconds))
    for seconds in (0, -1):
        try:
            print(await get(seconds))
        except asyncio.TimeoutError:
            print("late", seconds)
    try:
        async with timeout(0.01):
            async with timeout(5):
                await asyncio.sleep(1)
    except asyncio.TimeoutError:
        print("outer")
    try:
        async with timeout(0.01), timeout(1):
            try:
                await asyncio.sleep(1)
            finally:
                print("cleanup")
    except TimeoutError:
        print("two")


asyncio.run(main())
