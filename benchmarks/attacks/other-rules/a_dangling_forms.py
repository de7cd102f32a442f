# rules: dangling-task
import asyncio
import gc
import weakref

log: list[str] = []


async def work(name: str) -> None:
    await asyncio.sleep(0.001)
    log.append(name)


class Server:
    def start(self) -> None:
        asyncio.get_running_loop().create_task(work("method"))

    async def handle(self) -> None:
        _ = asyncio.create_task(work("underscore"))
        await asyncio.sleep(0)


async def main() -> None:
    asyncio.create_task(work("bare"))
    if True: asyncio.create_task(work("one line"))
    Server().start()
    await Server().handle()
    for name in ("a", "b"):
        asyncio.create_task(work(name))
    (lambda: asyncio.create_task(work("lambda")))()
    asyncio.ensure_future(work("ensured")).add_done_callback(lambda t: log.append("done"))
    gc.collect()
    await asyncio.sleep(0.05)
    print(sorted(log), [k for k in globals() if "task" in k.lower()][:0])


asyncio.run(main())
