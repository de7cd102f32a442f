# announced: the group cancels the others
# rules: gather-to-taskgroup
import asyncio


class Api:
    def __init__(self) -> None:
        self.open = 0
        self.most = 0

    async def call(self, n: int) -> int:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await asyncio.sleep(0.001 * n)
            if n == 3:
                raise LookupError(n)
            return n
        finally:
            self.open -= 1


async def both(api: Api, *ns: int) -> list[int]:
    try:
        return await asyncio.gather(*(api.call(n) for n in ns))
    except (LookupError, KeyError) as error:
        return [-error.args[0], api.open]


async def main() -> None:
    api = Api()
    print(await both(api, 1, 2), api.most, await both(api))
    print((await both(api, 3, 1))[0], api.open)
    event = asyncio.Event()

    async def setter() -> None:
        try:
            await asyncio.sleep(0.005)
        except Exception:
            pass
        event.set()

    async def fail() -> None:
        raise ValueError

    try:
        await asyncio.gather(setter(), fail())
    except ValueError:
        pass
    try:
        await asyncio.wait_for(event.wait(), 0.05)
        print("set")
    except TimeoutError:
        print("never set")


asyncio.run(main())
