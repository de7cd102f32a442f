# announced: `xs` is read after they ran
import asyncio


async def grow(box):
    box["xs"] = [9]
    await asyncio.sleep(0)
    return 1


async def main():
    xs = [0]

    async def rebind():
        nonlocal xs
        xs = ["new"]
        return 2

    xs += await asyncio.gather(rebind(), rebind())
    print(xs)
    box = {"xs": [5]}
    box["xs"] += await asyncio.gather(grow(box), grow(box))
    print(box)


asyncio.run(main())
