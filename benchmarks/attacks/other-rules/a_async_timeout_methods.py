# rules: async-timeout-to-asyncio
# needs: async-timeout>=4,<5
import asyncio

import async_timeout


async def main() -> None:
    try:
        async with async_timeout.timeout(0.01) as limit:
            await asyncio.sleep(1)
    except asyncio.TimeoutError:
        print("late")
    async with async_timeout.timeout(None) as none:
        await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    try:
        async with async_timeout.timeout_at(loop.time() + 0.01):
            await asyncio.sleep(1)
    except TimeoutError as error:
        print("at", type(error).__name__, asyncio.current_task().cancelling())
    async with async_timeout.timeout(5):
        async with async_timeout.timeout(1):
            await asyncio.sleep(0)
    print("done")


asyncio.run(main())
