# announced: replaces `asyncio.create_task`
# rules: dangling-task, ensure-future
import asyncio
import types

started: list[str] = []


async def work() -> None:
    started.append("work")


def run_now(coroutine):
    try:
        coroutine.send(None)
    except StopIteration:
        pass


async def handler() -> str:
    asyncio.create_task(work())
    return "handled"


async def main() -> None:
    print(await handler(), started)
    await asyncio.sleep(0)
    original = asyncio.create_task
    asyncio.create_task = run_now
    try:
        print(await handler(), started)
    except Exception as error:
        print(type(error).__name__)
    finally:
        asyncio.create_task = original


asyncio.run(main())
