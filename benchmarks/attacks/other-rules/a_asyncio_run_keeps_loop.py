# announced: `run()` cancels the remaining tasks
# rules: asyncio-run
import asyncio

cache: dict[str, asyncio.Lock] = {}


async def use() -> str:
    lock = cache.setdefault("lock", asyncio.Lock())
    async with lock:
        await asyncio.sleep(0)
    return "used"


async def background(stop: list[int]) -> None:
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        stop.append(1)
        raise


async def main() -> list[int]:
    stop: list[int] = []
    cache["task"] = asyncio.get_running_loop().create_task(background(stop))
    await asyncio.sleep(0)
    print(await use())
    return stop


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    stop = loop.run_until_complete(main())
    print(stop, cache["task"].done())
