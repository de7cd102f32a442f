# rules: dangling-task
import asyncio
import gc

messages: list[str] = []


async def fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("lost")


async def start() -> None:
    asyncio.create_task(fail())


async def main() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: messages.append(context["message"]))
    await start()
    await asyncio.sleep(0.01)
    gc.collect()
    print(messages)
    before = len(asyncio.all_tasks())
    await start()
    print(len(asyncio.all_tasks()) - before)


asyncio.run(main())
gc.collect()
print(len(messages))
