import asyncio


class Client:
    def __init__(self, out):
        self.out = out

    async def __call__(self, n):
        self.out.append(n)

    @classmethod
    async def build(cls, out):
        return cls(out)

    @staticmethod
    async def nothing():
        return None


async def main():
    out = []
    client, _ = await asyncio.gather(Client.build(out), Client.nothing())
    await asyncio.gather(client(1), client(2))
    print(out)


asyncio.run(main())
