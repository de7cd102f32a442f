import asyncio


def stop(error):
    raise error


async def main():
    loop = asyncio.get_running_loop()
    for error in (ValueError("v"), KeyError("k")):
        try:
            await loop.run_in_executor(None, stop, error)
        except Exception as caught:
            print(caught is error, caught.args, caught.__cause__)
    one = loop.run_in_executor(None, stop, LookupError("kept"))
    try:
        await one
    except LookupError as caught:
        print(caught, one.done(), type(one).__name__)


asyncio.run(main())
