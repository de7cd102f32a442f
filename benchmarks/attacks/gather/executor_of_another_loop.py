import asyncio
import threading


def who():
    return threading.current_thread() is threading.main_thread()


async def main(loop):
    return await loop.run_in_executor(None, who)


async def start():
    print(await main(asyncio.get_running_loop()))


asyncio.run(start())
