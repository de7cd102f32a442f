# rules: asyncio-run
import asyncio
import sys


async def main() -> None:
    print(asyncio.get_running_loop().get_debug())
    generator = ticker()
    print(await anext(generator))
    raise KeyError("end")


async def ticker():
    try:
        yield 1
        yield 2
    finally:
        print("ticker closed")


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    loop.set_debug(False)
    try:
        loop.run_until_complete(main())
    except KeyError as error:
        print("KeyError", error)
    finally:
        loop.close()
    print("after", sys.exc_info()[0])
