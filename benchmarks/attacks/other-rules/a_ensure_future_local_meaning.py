# rules: ensure-future, dangling-task
import asyncio
from asyncio import ensure_future


class Client:
    async def get(self) -> str:
        return "got"


class Cached(Client):
    def get(self):
        future = asyncio.get_running_loop().create_future()
        future.set_result("cached")
        return future


async def fetch(client: Client) -> str:
    return await ensure_future(client.get())


async def overridden() -> str:
    job = asyncio.ensure_future
    return await job(Client().get())


async def main() -> None:
    print(await fetch(Client()), await fetch(Cached()), await overridden())

    def create_task(x):
        return "mine"

    print(create_task(1), await ensure_future(Client().get()))


asyncio.run(main())
