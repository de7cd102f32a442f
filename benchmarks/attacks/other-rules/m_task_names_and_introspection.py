# rules: ensure-future, dangling-task, gather-to-taskgroup
import asyncio


async def who() -> str:
    await asyncio.sleep(0)
    return asyncio.current_task().get_coro().__qualname__


async def spawn(log: list) -> None:
    def finished(task: asyncio.Task) -> None:
        log.append(task.result())

    asyncio.create_task(who()).add_done_callback(finished)
    task = asyncio.ensure_future(who())
    task.add_done_callback(finished)


async def main() -> None:
    log: list = []
    await spawn(log)
    print(len(asyncio.all_tasks()) > 1, log)
    await asyncio.sleep(0.01)
    print(log, await asyncio.gather(who(), who()))
    first, second = (asyncio.ensure_future(who()) for _ in range(2))
    done, pending = await asyncio.wait({first, second})
    print(len(done), len(pending), {t.result() for t in done})


asyncio.run(main())
