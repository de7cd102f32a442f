# announced: with a timeout of zero or less
import asyncio


async def work(out):
    out.append("ran")
    return 1


async def main():
    out = []
    for limit in (0, -1, None, 1):
        try:
            out.append(await asyncio.wait_for(work(out), limit))
        except asyncio.TimeoutError:
            out.append(f"timeout {limit}")
    print(out)


asyncio.run(main())
