# announced: if code drives a coroutine by hand
# rules: running-loop
import asyncio


async def ticks():
    start = asyncio.get_event_loop().time()
    for i in range(2):
        yield i, asyncio.get_event_loop().time() >= start


async def factory(loop=None):
    loop = loop or asyncio.get_event_loop()
    return loop.is_running()


class Base:
    def __init__(self, loop=None) -> None:
        self.loop = loop if loop is not None else asyncio.get_event_loop_policy().get_event_loop()


async def main() -> None:
    print([t async for t in ticks()], await factory(), Base().loop is asyncio.get_event_loop())
    coroutine = factory()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        print(stop.value)


asyncio.run(main())
coroutine = factory()
asyncio.set_event_loop(asyncio.new_event_loop())
try:
    coroutine.send(None)
except StopIteration as stop:
    print("outside", stop.value)
except RuntimeError as error:
    print("RuntimeError")
