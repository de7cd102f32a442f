import asyncio

from jobs import *

_background_tasks = "of main"


async def main():
    start()
    await asyncio.sleep(0.01)
    print(done, _background_tasks)


asyncio.run(main())
# --- jobs.py
import asyncio

done = []


async def work():
    done.append(1)


def start():
    asyncio.create_task(work())
