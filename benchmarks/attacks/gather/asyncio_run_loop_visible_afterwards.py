import asyncio


async def main():
    return 5


def result():
    return asyncio.get_event_loop_policy().get_event_loop().is_closed()


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    print(loop.run_until_complete(main()))
    print(result())
