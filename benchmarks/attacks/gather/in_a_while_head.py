import asyncio

left = [3]


async def take():
    await asyncio.sleep(0)
    left[0] -= 1
    return left[0]


async def main():
    rounds = 0
    while sum(await asyncio.gather(take(), take())) > 0:
        rounds += 1
    else:
        print("else", rounds)
    print(left)


asyncio.run(main())
