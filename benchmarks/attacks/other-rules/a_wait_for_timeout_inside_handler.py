# rules: wait-for-to-timeout
# python: 3.12
import asyncio


class Slow(Exception):
    pass


async def inner() -> str:
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        return "swallowed"
    return "never"


async def own_timeout() -> str:
    raise TimeoutError("mine")


async def main() -> None:
    print(await asyncio.wait_for(inner(), 0.01) if False else "skip")
    try:
        print(await asyncio.wait_for(inner(), 0.01))
    except TimeoutError:
        print("timeout")
    try:
        await asyncio.wait_for(own_timeout(), 1)
    except TimeoutError as error:
        print(error.args, error.__cause__)
    try:
        try:
            await asyncio.wait_for(asyncio.sleep(1), 0.01)
        except TimeoutError as error:
            raise Slow("slow") from error
    except Slow as error:
        print(error, type(error.__cause__).__name__)
    print(asyncio.current_task().cancelling())


asyncio.run(main())
