# rules: gather-to-taskgroup
import asyncio

log: list[str] = []


async def job(name: str, seconds: float = 0, fail: bool = False) -> str:
    try:
        await asyncio.sleep(seconds)
        if fail:
            raise ValueError(name)
        return name
    finally:
        log.append(name)


async def main() -> None:
    a, (b, c) = await asyncio.gather(job("a", 0.002), asyncio.gather(job("b", 0.001), job("c")))
    print(a, b, c, log)
    names = await asyncio.gather(*[job(n) for n in "de"], *(job(n) for n in "fg"))
    print(names, type(names).__name__, await asyncio.gather(), dict(zip("xy", await asyncio.gather(job("x"), job("y")))))
    print(max(await asyncio.gather(*map(job, ["m", "n"]))))
    log.clear()
    try:
        await asyncio.gather(job("slow", 0.02), job("bad", 0, True), job("fine", 0.001))
    except ValueError as error:
        print("ValueError", error, error.__context__, error.__suppress_context__)
    await asyncio.sleep(0.03)
    print(sorted(log))


asyncio.run(main())
