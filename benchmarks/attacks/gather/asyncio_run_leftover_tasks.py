# announced: `run()` cancels the remaining tasks
import asyncio

log = []


async def background():
    try:
        await asyncio.sleep(10)
    finally:
        print("background ends")


async def main():
    asyncio.create_task(background())
    await asyncio.sleep(0)
    return "done"


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    kept = None
    try:
        print(loop.run_until_complete(main()))
    finally:
        loop.close()
    print("closed")
