# announced: `run()` cancels the remaining tasks
import asyncio


async def rows():
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        print("rows closed")


kept = rows()


async def main():
    async for row in kept:
        print(row)
        break


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    print("end")
