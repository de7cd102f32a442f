import asyncio
from contextlib import asynccontextmanager, contextmanager


@contextmanager
def opened(names):
    print("open", names)
    yield names
    print("close", names)


@asynccontextmanager
async def session():
    yield await asyncio.gather(number(1), number(2))


async def number(n):
    await asyncio.sleep(0)
    return n


async def main():
    with opened(await asyncio.gather(number("a"), number("b"))) as names:
        print(names)
    async with session() as found:
        print(found)


asyncio.run(main())
