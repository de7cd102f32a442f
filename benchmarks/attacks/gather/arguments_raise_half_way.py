import asyncio

log = []


async def number(n):
    log.append(n)
    return n


def broken():
    raise ZeroDivisionError("half way")


async def main():
    try:
        await asyncio.gather(number(1), number(broken()), number(3))
    except ZeroDivisionError as error:
        log.append(str(error))
    except BaseException as error:
        log.append(type(error).__name__)
    await asyncio.sleep(0)
    print(log)


asyncio.run(main())
