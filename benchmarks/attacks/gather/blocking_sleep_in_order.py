# announced: other coroutines run during the sleep
import asyncio
import time

log = []


async def worker(name):
    log.append(f"{name} begins")
    time.sleep(0.01)
    log.append(f"{name} ends")


async def main():
    await asyncio.gather(worker("a"), worker("b"))
    print(log)


asyncio.run(main())
