# rules: executor-to-thread, running-loop
import asyncio
from concurrent.futures import ThreadPoolExecutor
import threading


def name():
    return threading.current_thread().name.split("_")[0]


async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="mine"))
    print(await loop.run_in_executor(None, name))
    await loop.shutdown_default_executor()
    try:
        print(await loop.run_in_executor(None, name))
    except RuntimeError as error:
        print("RuntimeError", error)
    try:
        await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, name), 1)
    except RuntimeError as error:
        print("RuntimeError", error)


asyncio.run(main())
