# rules: wait-for-to-timeout
# python: 3.12
import asyncio


async def consume(queue: asyncio.Queue) -> list[int]:
    out = []
    while True:
        try:
            item = await asyncio.wait_for(queue.get(), timeout=0.02)
        except asyncio.TimeoutError:
            break
        else:
            out.append(item)
            queue.task_done()
        if item == 2:
            continue
    return out


async def first(*events: asyncio.Event, timeout: float = 0.01) -> int:
    for index, event in enumerate(events):
        try:
            await asyncio.wait_for(event.wait(), timeout)
            return index
        except TimeoutError:
            continue
    return -1


async def main() -> None:
    queue: asyncio.Queue = asyncio.Queue()
    for i in range(4):
        queue.put_nowait(i)
    ready = asyncio.Event()
    ready.set()
    print(await consume(queue), await first(asyncio.Event(), ready), await first(asyncio.Event()))
    lock = asyncio.Lock()
    await lock.acquire()
    try:
        await asyncio.wait_for(lock.acquire(), 0.01)
    except TimeoutError:
        print(lock.locked(), lock._waiters)


asyncio.run(main())
