# rules: async-timeout-to-asyncio
# needs: async-timeout
import asyncio

import async_timeout


class Client:
    timeout = 0.01
    factory = staticmethod(async_timeout.timeout)

    async def get(self, seconds: float) -> str:
        async with async_timeout.timeout(self.timeout):
            await asyncio.sleep(seconds)
        return "ok"

    async def shift(self) -> str:
        async with async_timeout.timeout(0.01) as limit:
            limit.shift(1)
            await asyncio.sleep(0.02)
        return "shifted"

    async def made(self) -> str:
        async with self.factory(1):
            return "made"


async def main() -> None:
    client = Client()
    for seconds in (0, 1):
        try:
            print(await client.get(seconds))
        except asyncio.TimeoutError:
            print("late")
    print(await client.shift(), await client.made())
    try:
        async with async_timeout.timeout(0.01):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                print("inner sees cancellation")
                raise
    except (asyncio.TimeoutError, ValueError) as error:
        print(type(error).__name__, isinstance(error, OSError))


asyncio.run(main())
