# announced: replaces `asyncio.get_event_loop`
import asyncio

real = asyncio.get_event_loop


def counted():
    calls.append(1)
    return real()


calls = []


async def main():
    loop = asyncio.get_event_loop()
    return loop.is_running()


asyncio.get_event_loop = counted
print(asyncio.run(main()), len(calls))
