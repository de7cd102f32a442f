# announced: other coroutines run during the sleep
# rules: nested-asyncio-run, blocking-call
import asyncio
import subprocess
import time

order: list[str] = []


async def tick() -> None:
    for i in range(2):
        order.append(f"tick {i}")
        await asyncio.sleep(0)


async def slow() -> str:
    order.append("slow starts")
    time.sleep(0.01)
    out = subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout.strip()
    order.append("slow ends")
    return out


async def main() -> None:
    print(await asyncio.gather(slow(), tick()), order)
    try:
        asyncio.run(tick())
    except RuntimeError as error:
        print("RuntimeError")


asyncio.run(main())
