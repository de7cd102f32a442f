import asyncio


async def inner():
    return 1


async def main():
    coroutine = inner()
    try:
        return asyncio.run(coroutine)
    except RuntimeError:
        coroutine.close()
        return "refused"


print(asyncio.run(main()))
