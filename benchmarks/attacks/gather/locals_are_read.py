# announced: `locals()` sees additional names
import asyncio


async def number(n):
    return n


async def main():
    a, b = await asyncio.gather(number(1), number(2))
    print(sorted(locals()))
    return "{a} {b}".format(**locals())


print(asyncio.run(main()))
