from tools import *


async def number(n):
    return n


async def main():
    print(await gather(number(1), number(2)))
    print(await asyncio.gather(number(3)))


asyncio.run(main())
# --- tools.py
import asyncio


async def gather(*coroutines):
    return tuple([await one for one in reversed(coroutines)])
