import asyncio

lock = asyncio.Lock()


async def main(n):
    async with lock:
        await asyncio.sleep(0)
    return n


def again():
    return asyncio.get_event_loop().run_until_complete(main(2))


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    print(loop.run_until_complete(main(1)))
    print(again())
