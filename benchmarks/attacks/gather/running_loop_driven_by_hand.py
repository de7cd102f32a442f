# announced: if code drives a coroutine by hand
import asyncio


async def probe():
    return asyncio.get_event_loop().is_running()


asyncio.set_event_loop(asyncio.new_event_loop())
coroutine = probe()
try:
    coroutine.send(None)
except StopIteration as stop:
    print("result", stop.value)
except RuntimeError as error:
    print("RuntimeError", error)
