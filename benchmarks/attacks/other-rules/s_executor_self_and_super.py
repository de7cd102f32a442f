# rules: executor-to-thread
import asyncio
import functools


class Base:
    def load(self, key: str, *, upper: bool = False) -> str:
        return key.upper() if upper else key

    async def get(self, key: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(None, self.load, key)


class Child(Base):
    def load(self, key: str, *, upper: bool = True) -> str:
        return "child " + super().load(key, upper=upper)

    async def get(self, key: str) -> str:
        loop = asyncio.get_running_loop()
        value = await loop.run_in_executor(None, super().load, key)
        other = await loop.run_in_executor(None, functools.partial(self.load, key, upper=False))
        return value + other + await super().get(key)


class Callable:
    async def __call__(self, x):
        return x


async def main() -> None:
    print(await Child().get("k"))
    loop = asyncio.get_running_loop()
    value = await loop.run_in_executor(None, Callable(), 1)
    print(await value)
    [x, y] = [await loop.run_in_executor(None, str.upper, c) for c in "ab"]
    print(x, y, [await (loop.run_in_executor(None, ord, c)) async for c in chars()])
    to_thread = "taken"
    print(await loop.run_in_executor(None, len, to_thread))


async def chars():
    for c in "xy":
        yield c


asyncio.run(main())
