# announced: is no longer read
import asyncio


class Worker:
    @property
    def loop(self):
        print("loop asked")
        return asyncio.get_running_loop()

    def work(self, n):
        return n + 1

    async def run(self):
        print(await self.loop.run_in_executor(None, self.work, 1))
        print(await self.loop.run_in_executor(None, lambda: self.work(5)))


asyncio.run(Worker().run())
