# announced: the group cancels the others
import asyncio


class Price:
    def __format__(self, spec):
        raise ValueError("no price")


async def label(price):
    await asyncio.sleep(0)
    return f"{price:>4}"


async def other(out):
    await asyncio.sleep(0.01)
    out.append(1)


async def main():
    out = []
    try:
        print(await asyncio.gather(label(3), label(Price()), other(out)))
    except ValueError as error:
        print(error, error.__context__)
    await asyncio.sleep(0.02)
    print(out)


asyncio.run(main())
