import asyncio


async def fails():
    raise asyncio.TimeoutError("mine")


async def main():
    try:
        value = await asyncio.wait_for(fails(), 1)
    except asyncio.TimeoutError as error:
        print(error, error.__cause__, error.__context__)
    try:
        with open("missing") as file:
            value = await asyncio.wait_for(fails(), 1)
    except OSError as error:
        print(type(error).__name__)


asyncio.run(main())
