import asyncio


class BaseExceptionGroup(Exception):
    exceptions = ("mine",)


async def bad():
    raise KeyError("k")


async def main():
    try:
        await asyncio.gather(bad(), asyncio.sleep(0))
    except BaseExceptionGroup as error:
        print("group", error)
    except KeyError as error:
        print("key", error)


asyncio.run(main())
