# announced: context variables of its caller
import asyncio
import decimal


def third():
    return str(decimal.Decimal(1) / 3)


async def main():
    loop = asyncio.get_running_loop()
    decimal.getcontext().prec = 4
    print(await loop.run_in_executor(None, third))


asyncio.run(main())
