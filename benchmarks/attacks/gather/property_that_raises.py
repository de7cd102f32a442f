# announced: the group cancels the others
import asyncio


class Box:
    @property
    def value(self):
        raise LookupError("empty")


async def read(box, out):
    await asyncio.sleep(0)
    out.append(box.value)


async def slow(out):
    await asyncio.sleep(0.02)
    out.append("slow")


async def main():
    out = []
    try:
        await asyncio.gather(read(Box(), out), slow(out))
    except LookupError as error:
        print("caught", error, error.__context__)
    await asyncio.sleep(0.05)
    print(out)


asyncio.run(main())
