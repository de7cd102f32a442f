# rules: asyncio-run, running-loop
import asyncio
import threading


class Service:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.queue: asyncio.Queue = asyncio.Queue()

    def push(self, item: int) -> None:
        self.loop.call_soon_threadsafe(self.queue.put_nowait, item)

    async def run(self) -> int:
        return await self.queue.get()


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    service = Service(loop)
    threading.Timer(0.01, service.push, [5]).start()
    print(loop.run_until_complete(service.run()))
    loop.close()
