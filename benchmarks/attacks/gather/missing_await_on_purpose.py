import asyncio


class Lazy:
    async def load(self):
        self.loaded = True
        return "loaded"


async def save(out):
    out.append("saved")


async def main():
    out = []
    coroutine = save(out)
    print(bool(coroutine))
    if Lazy().load():
        out.append("truthy")
    coroutine.close()
    print(out)


asyncio.run(main())
