# rules: asyncio-run
import asyncio


async def fetch(n: int) -> int:
    await asyncio.sleep(0)
    return n * 2


def fetch_sync(n: int) -> int:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(fetch(n))
    finally:
        loop.close()


def legacy(n: int) -> int:
    return asyncio.get_event_loop().run_until_complete(fetch(n))


async def outer() -> str:
    coroutine = None
    try:
        return str(fetch_sync(1))
    except RuntimeError as error:
        return f"RuntimeError {error}"


print(fetch_sync(2))
asyncio.set_event_loop(asyncio.new_event_loop())
print(legacy(3), legacy(4), asyncio.get_event_loop().is_closed())
print(asyncio.run(outer()))
try:
    legacy(5)
except RuntimeError as error:
    print("no loop")
