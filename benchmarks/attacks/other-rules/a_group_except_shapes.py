# announced: exceptions that went to the callers before are now handled here
# rules: group-except
import asyncio

log: list[str] = []


async def fail(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def run_both() -> str:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("a")))
            group.create_task(asyncio.sleep(0))
    except ValueError:
        log.append("value")
    except KeyError:
        log.append("key")
    else:
        log.append("else")
    finally:
        log.append("finally")
    return "end"


async def main() -> None:
    try:
        print(await run_both())
    except ExceptionGroup as group:
        print("group", [repr(e) for e in group.exceptions])
    print(log)


asyncio.run(main())
