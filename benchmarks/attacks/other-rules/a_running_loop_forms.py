# rules: running-loop, executor-to-thread
import asyncio
from asyncio import get_event_loop as loop_of


async def main() -> None:
    loop = asyncio.get_event_loop()
    print(loop is asyncio.get_running_loop(), loop_of() is loop)

    def plain():
        return asyncio.get_event_loop() is loop

    print(plain(), (lambda: asyncio.get_event_loop() is loop)(), await asyncio.to_thread(in_thread))
    futures = [asyncio.get_event_loop().create_future() for _ in range(2)]
    asyncio.get_event_loop().call_soon(futures[0].set_result, 1)
    print(await futures[0], all(f.get_loop() is asyncio.get_event_loop() for f in futures))


def in_thread() -> str:
    try:
        asyncio.get_event_loop()
    except RuntimeError as error:
        return type(error).__name__
    return "loop"


asyncio.run(main())
