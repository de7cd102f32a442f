# announced: a loop in debug mode rejects
import asyncio


async def wrong():
    return 1


async def main():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    try:
        result = await loop.run_in_executor(None, wrong)
        print("no error", asyncio.iscoroutine(result))
        result.close()
    except TypeError as error:
        print("TypeError", str(error)[:30])


asyncio.run(main())
