import asyncio


async def work(out):
    out.append("work")


def start(flag, out):
    if flag: asyncio.create_task(work(out))
    else: out.append("no")


async def main():
    out = []
    start(True, out)
    start(False, out)
    await asyncio.sleep(0)
    print(out)


asyncio.run(main())
