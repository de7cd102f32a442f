import asyncio

done = []


async def work():
    await asyncio.sleep(10)
    done.append("never")


def start():
    asyncio.create_task(work())


async def main():
    start()
    await asyncio.sleep(0)


asyncio.run(main())
asyncio.run(main())
print(done)
