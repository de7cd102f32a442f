# announced: `__context__` is the exception group
import asyncio


async def number(n):
    if n == 3:
        raise ValueError(n)
    return n


async def run(*numbers):
    try:
        found = await asyncio.gather(*(number(n) for n in numbers))
    except ValueError as error:
        return "failed", error.args, error.__context__
    else:
        return found
    finally:
        print("finally", numbers)


print(asyncio.run(run(1, 2)))
print(asyncio.run(run(1, 3)))
