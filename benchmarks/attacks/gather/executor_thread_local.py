import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

state = threading.local()


def bump():
    state.n = getattr(state, "n", 0) + 1
    return state.n


async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    out = []
    for _ in range(3):
        out.append(await loop.run_in_executor(None, bump))
    print(out)


asyncio.run(main())
