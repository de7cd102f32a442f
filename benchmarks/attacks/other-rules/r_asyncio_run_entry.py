# rules: asyncio-run
import asyncio


async def step(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1


async def main() -> int:
    total = 0
    for n in range(3):
        total += await step(n)
    return total


if __name__ == "__main__":
    loop = asyncio.get_event_loop()
    print(loop.run_until_complete(main()))
