# announced: exceptions that went to the callers before are now handled here
import asyncio


async def bad():
    raise ValueError("bad")


async def main():
    try:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(bad())
        except ValueError:
            print("inner handler")
    except BaseExceptionGroup as error:
        print("group", error.exceptions)


asyncio.run(main())
