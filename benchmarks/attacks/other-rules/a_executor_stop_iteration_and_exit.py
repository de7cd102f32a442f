# rules: executor-to-thread
import asyncio


def leave():
    raise SystemExit(3)


def generator():
    yield 1


async def main() -> None:
    loop = asyncio.get_running_loop()
    print(type(await loop.run_in_executor(None, generator)).__name__)
    try:
        await loop.run_in_executor(None, leave)
    except SystemExit as error:
        print("exit", error.code)
    result = await loop.run_in_executor(None, generator)
    print(list(result))


asyncio.run(main())
