import asyncio

log = []


def step(name):
    log.append(name)
    return name


async def number(n):
    log.append(f"run {n}")
    return n


async def main():
    print(step("first"), await asyncio.gather(number(1), number(2)), step("last"))
    value = {step("key"): await asyncio.gather(number(3), number(4)), "b": step("after")}
    print(value, log)


asyncio.run(main())
