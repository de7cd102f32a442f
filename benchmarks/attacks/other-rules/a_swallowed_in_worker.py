# rules: swallowed-cancellation
import asyncio

log: list[str] = []


async def worker(name: str) -> None:
    try:
        while True:
            await asyncio.sleep(10)
    except asyncio.CancelledError:
        log.append(f"{name} stopped")


async def guard() -> None:
    try:
        await asyncio.sleep(10)
    except BaseException as error:
        log.append(type(error).__name__)
    finally:
        log.append("finally")


async def main() -> None:
    tasks = [asyncio.create_task(worker("a")), asyncio.create_task(guard())]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    print([type(r).__name__ for r in results], log, [t.cancelled() for t in tasks])


asyncio.run(main())
