import asyncio
import hashlib

from .store import Sessions, keep


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


async def signed(text: str) -> str:
    loop = asyncio.get_event_loop()
    return f"{text} {await loop.run_in_executor(None, digest, text)}"


async def both(first: str, second: str) -> list[str]:
    one, two = await asyncio.gather(signed(first), signed(second))
    return [one, two]


async def all_of(texts: list[str]) -> list[str]:
    return await asyncio.gather(*(signed(text) for text in texts))


async def within(seconds: float, text: str) -> str:
    try:
        return await asyncio.wait_for(signed(text), seconds)
    except asyncio.TimeoutError:
        return "late"


class Relay:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.kept: list[int] = []

    async def put(self, channel: str, text: str) -> None:
        await self.queue.put((channel, text))

    async def work(self) -> None:
        while True:
            channel, text = await self.queue.get()
            async with Sessions() as session:
                self.kept.append(await keep(session, channel, text))
            self.queue.task_done()

    def start(self) -> None:
        self.task = asyncio.ensure_future(self.work())

    async def stop(self) -> None:
        await self.queue.join()
        self.task.cancel()
        try:
            await self.task
        except asyncio.CancelledError:
            pass
