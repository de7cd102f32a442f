# announced: a loop class of the program overrides it
# rules: executor-to-thread, running-loop
import asyncio


class FakeLoop:
    def __init__(self) -> None:
        self.calls: list = []

    async def run_in_executor(self, executor, function, *args):
        self.calls.append(function.__name__)
        return function(*args)


async def work(loop: asyncio.AbstractEventLoop | None = None) -> int:
    loop = loop or asyncio.get_running_loop()
    return await loop.run_in_executor(None, max, 1, 2)


class Service:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    async def run(self) -> int:
        return await self._loop.run_in_executor(None, min, 3, 4)


async def main() -> None:
    fake = FakeLoop()
    print(await work(), await work(fake), await Service(fake).run(), fake.calls)
    print(await Service(asyncio.get_running_loop()).run())


asyncio.run(main())
