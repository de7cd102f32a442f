import asyncio


async def work(n):
    await asyncio.sleep(n)
    return n


async def main():
    task = asyncio.create_task(work(0.01))
    print(await asyncio.wait_for(task, 1))
    slow = asyncio.create_task(work(1))
    try:
        await asyncio.wait_for(slow, 0.01)
    except TimeoutError as error:
        print("timeout", slow.cancelled(), repr(error))
    shielded = asyncio.create_task(work(0.02))
    try:
        await asyncio.wait_for(asyncio.shield(shielded), 0.001)
    except asyncio.TimeoutError:
        print("still", shielded.done(), await shielded)


asyncio.run(main())
