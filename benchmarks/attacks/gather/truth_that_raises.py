# announced: the group cancels the others
import asyncio


class Odd:
    def __bool__(self):
        raise ArithmeticError("neither")


async def pick(value):
    await asyncio.sleep(0)
    return "yes" if value else "no"


async def mark(out):
    await asyncio.sleep(0.01)
    out.append("mark")


async def main():
    out = []
    try:
        await asyncio.gather(pick(Odd()), mark(out))
    except ArithmeticError as error:
        print(error)
    await asyncio.sleep(0.02)
    print(out)


asyncio.run(main())
