# rules: dangling-task
import asyncio
from contextlib import suppress

log: list[str] = []


async def work(name: str) -> None:
    await asyncio.sleep(0)
    log.append(name)


class Handler:
    tasks = ["not a set"]
    background_tasks = None

    def on_message(self, name: str) -> None:
        background_tasks = "local"
        asyncio.create_task(work(name + background_tasks))

    async def run(self) -> None:
        try:
            asyncio.create_task(work("try"))
        finally:
            asyncio.create_task(work("finally"))
        with suppress(Exception):
            asyncio.create_task(work("with"))
        match log:
            case []:
                asyncio.create_task(work("match"))


def outside() -> str:
    coroutine = work("x")
    try:
        asyncio.create_task(coroutine)
    except RuntimeError as error:
        coroutine.close()
        return "RuntimeError"
    return "started"


async def main() -> None:
    handler = Handler()
    handler.on_message("a")
    await handler.run()
    await asyncio.sleep(0.01)
    print(sorted(log), Handler.tasks, Handler.background_tasks, vars(handler))


print(outside())
asyncio.run(main())
