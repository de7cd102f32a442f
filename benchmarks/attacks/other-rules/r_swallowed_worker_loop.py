# rules: swallowed-cancellation
import asyncio

log: list[str] = []


async def poll(seen: list[int]) -> None:
    while True:
        try:
            seen.append(1)
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            log.append("asked to stop")
        except OSError as error:
            log.append(str(error))
        if len(seen) > 3:
            break
    log.append("after loop")


async def close(lock: asyncio.Lock) -> None:
    try:
        await lock.acquire()
    except:
        pass
    log.append("closed")


async def main() -> None:
    seen: list[int] = []
    task = asyncio.create_task(poll(seen))
    await asyncio.sleep(0.005)
    task.cancel()
    try:
        await asyncio.wait_for(task, 1)
        print("ended")
    except asyncio.CancelledError:
        print("cancelled")
    lock = asyncio.Lock()
    await lock.acquire()
    closer = asyncio.create_task(close(lock))
    await asyncio.sleep(0)
    closer.cancel()
    print(await asyncio.gather(closer, return_exceptions=True), log)


asyncio.run(main())
