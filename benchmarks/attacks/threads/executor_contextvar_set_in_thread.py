# rules: executor-to-thread
import asyncio
import contextvars
import threading

request_id = contextvars.ContextVar("request_id", default="none")
local = threading.local()


class Loader:
    def __init__(self, loop):
        self.loop = loop

    def read(self, path, encoding="utf-8"):
        seen = getattr(local, "count", 0) + 1
        local.count = seen
        return f"{path}:{encoding}:{request_id.get()}"

    async def load(self, path):
        return await self.loop.run_in_executor(None, self.read, path)


async def main():
    request_id.set("r1")
    loader = Loader(asyncio.get_running_loop())
    print(await loader.load("x"))
    loop = loader.loop
    print(await loop.run_in_executor(None, loader.read, "y", "ascii"))
    print(await loop.run_in_executor(None, request_id.get))


asyncio.run(main())
