import asyncio

log = []


async def number(n):
    log.append(n)
    return n


def source():
    yield 1
    yield 2
    log.append("source fails")
    raise KeyError("third")


async def main():
    try:
        await asyncio.gather(*(number(n) for n in source()))
    except KeyError as error:
        log.append(repr(error))
    await asyncio.sleep(0)
    print(log)


asyncio.run(main())
