import asyncio


async def number(n):
    return n


async def main(n):
    match await asyncio.gather(number(n), number(2)):
        case [1, x]:
            return f"one {x}"
        case [x, 2] if await number(x):
            return f"two {x}"
        case _:
            return "none"


print(asyncio.run(main(1)), asyncio.run(main(5)), asyncio.run(main(0)))
