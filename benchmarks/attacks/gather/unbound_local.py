# announced: the group cancels the others
import asyncio


async def choose(flag):
    if flag:
        value = 1
    await asyncio.sleep(0)
    return value


async def tick(out):
    await asyncio.sleep(0.01)
    out.append("tick")


async def main():
    out = []
    try:
        await asyncio.gather(choose(True), choose(False), tick(out))
    except UnboundLocalError as error:
        print("unbound", error.__context__ is None)
    await asyncio.sleep(0.03)
    print(out)


asyncio.run(main())
