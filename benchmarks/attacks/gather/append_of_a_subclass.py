# announced: the group cancels the others
import asyncio


class Limited(list):
    def append(self, item):
        if len(self) >= 1:
            raise OverflowError("full")
        super().append(item)


async def put(box: list, item):
    await asyncio.sleep(0)
    box.append(item)


async def main():
    box = Limited()
    done = []

    async def later():
        await asyncio.sleep(0.01)
        list.append(done, "later")

    try:
        await asyncio.gather(put(box, 1), put(box, 2), later())
    except OverflowError as error:
        print(error)
    await asyncio.sleep(0.02)
    print(box, done)


asyncio.run(main())
