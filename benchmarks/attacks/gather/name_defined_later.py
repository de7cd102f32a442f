# announced: the group cancels the others
import asyncio


async def late(out):
    out.append(missing)


async def plain(out):
    await asyncio.sleep(0.01)
    out.append("plain")


async def main():
    out = []
    try:
        await asyncio.gather(late(out), plain(out))
    except NameError as error:
        print("NameError", error.__context__)
    await asyncio.sleep(0.03)
    print(out)


asyncio.run(main())
