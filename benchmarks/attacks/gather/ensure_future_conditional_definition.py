import asyncio
import sys

if sys.version_info >= (3, 0):

    def load():
        future = asyncio.get_running_loop().create_future()
        future.set_result("now")
        return future

else:

    async def load():
        return "later"


async def main():
    print(await asyncio.ensure_future(load()))


asyncio.run(main())
