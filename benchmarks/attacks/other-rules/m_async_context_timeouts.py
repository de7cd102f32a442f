# rules: wait-for-to-timeout
# python: 3.12
import asyncio
from contextlib import asynccontextmanager


@asynccontextmanager
async def resource(name: str):
    print("open", name)
    try:
        yield name
    finally:
        await asyncio.sleep(0)
        print("close", name)


async def use(seconds: float) -> str:
    async with resource("r") as name:
        value = await asyncio.wait_for(asyncio.sleep(seconds, "v"), timeout=0.01)
        return name + value


async def deadline() -> str:
    try:
        async with asyncio.timeout(0.01):
            return await asyncio.wait_for(asyncio.sleep(1, "x"), timeout=5)
    except TimeoutError:
        return "outer"


async def arguments(t=None) -> list:
    order = []

    def timeout():
        order.append("timeout")
        return 1

    def job():
        order.append("job")
        return asyncio.sleep(0, "job")

    order.append(await asyncio.wait_for(job(), timeout()))
    return order


async def main() -> None:
    print(await use(0))
    try:
        await use(1)
    except TimeoutError:
        print("timeout")
    print(await deadline(), await arguments())


asyncio.run(main())
