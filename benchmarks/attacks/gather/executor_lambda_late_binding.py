import asyncio


def double(x):
    return x * 2


async def main():
    loop = asyncio.get_running_loop()
    calls = []
    for n in range(3):
        calls.append(await loop.run_in_executor(None, lambda: double(n)))
    value = 5
    pending = loop.run_in_executor(None, lambda: double(value))
    value = 50
    calls.append(await pending)
    print(calls)


asyncio.run(main())
