import asyncio as real


class Fake:
    def __init__(self):
        self.calls = []

    async def gather(self, *coroutines):
        self.calls.append(len(coroutines))
        return [await one for one in coroutines]


async def number(n):
    return n


async def main(asyncio):
    print(await asyncio.gather(number(1), number(2)), asyncio.calls)


real.run(main(Fake()))
