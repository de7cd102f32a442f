import asyncio


class Base:
    async def load(self):
        return "base"

    async def run(self):
        return await asyncio.ensure_future(self.load())


class Future(Base):
    def load(self):
        future = asyncio.get_running_loop().create_future()
        future.set_result("future")
        return future


async def main():
    print(await Base().run(), await Future().run())


asyncio.run(main())
