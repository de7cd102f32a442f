# rules: wait-for-to-timeout, executor-to-thread, running-loop, ensure-future
# python: 3.12
import asyncio


class Pool:
    def __init__(self) -> None:
        self.free: asyncio.Queue[int] = asyncio.Queue()
        self.free.put_nowait(1)

    async def acquire(self, timeout: float | None = None) -> int:
        try:
            return await asyncio.wait_for(self.free.get(), timeout)
        except asyncio.TimeoutError:
            raise RuntimeError("pool exhausted") from None

    def release(self, item: int) -> None:
        self.free.put_nowait(item)


async def main() -> None:
    pool = Pool()
    item = await pool.acquire()
    try:
        await pool.acquire(0.01)
    except RuntimeError as error:
        print(error, error.__cause__, error.__suppress_context__)
    waiter = asyncio.ensure_future(pool.acquire(1))
    await asyncio.sleep(0)
    pool.release(item)
    print(await waiter)
    loop = asyncio.get_event_loop()
    result = await asyncio.wait_for(loop.run_in_executor(None, pow, 2, 5), timeout=1)
    print(result)


asyncio.run(main())
