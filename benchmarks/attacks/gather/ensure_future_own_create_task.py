import asyncio
from asyncio import *


def create_task(coroutine):
    print("mine")
    return asyncio.get_running_loop().create_task(coroutine)


async def work():
    return 1


async def main():
    print(await ensure_future(work()))
    print(await asyncio.ensure_future(work()))


run(main())
