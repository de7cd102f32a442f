import asyncio
import functools


def call(**kw):
    return sorted(kw.items())


async def main():
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, functools.partial(call, func=1, args=2)))
    print(await loop.run_in_executor(None, functools.partial(call, **{"a": 1})))
    print(await loop.run_in_executor(None, functools.partial(functools.partial(call, a=1), a=2)))


asyncio.run(main())
