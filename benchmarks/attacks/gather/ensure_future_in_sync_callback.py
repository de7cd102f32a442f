import asyncio


async def work(out):
    out.append("work")


async def main():
    out = []

    def callback():
        out.append(asyncio.ensure_future(work(out)) is not None)

    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(0.01)
    later = [lambda: asyncio.ensure_future(work(out)) for _ in range(2)]
    await asyncio.gather(*(make() for make in later))
    print(out)


asyncio.run(main())
