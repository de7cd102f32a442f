import asyncio


async def quits():
    raise SystemExit(3)


async def works(out):
    await asyncio.sleep(0)
    out.append("worked")


async def main():
    out = []
    try:
        await asyncio.gather(quits(), works(out))
    finally:
        print(out)


asyncio.run(main())
