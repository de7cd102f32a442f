import asyncio

log = []


async def number(n):
    log.append(n)
    return n


async def main(flag):
    a = flag and await asyncio.gather(number(1), number(2))
    b = flag or await asyncio.gather(number(3), number(4))
    c = await asyncio.gather(number(5), number(6)) if flag else None
    print(a, b, c, log)


asyncio.run(main(False))
asyncio.run(main(True))
