# rules: swallowed-cancellation
import asyncio

log: list[str] = []


async def retry() -> int:
    for attempt in range(3):
        try:
            await asyncio.sleep(0.001)
            return attempt
        except (asyncio.CancelledError, OSError):
            log.append(f"retry {attempt}")
            continue
    return -1


async def shutdown(task: asyncio.Task) -> str:
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    return "down"


async def quiet() -> str:
    try:
        await asyncio.sleep(1)
    except:
        return "quiet"


async def main() -> None:
    task = asyncio.create_task(retry())
    await asyncio.sleep(0)
    task.cancel()
    print(await task, log)
    print(await shutdown(asyncio.create_task(asyncio.sleep(1))))
    task = asyncio.create_task(quiet())
    await asyncio.sleep(0)
    task.cancel()
    print(await asyncio.gather(task, return_exceptions=True))


asyncio.run(main())
