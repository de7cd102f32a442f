import asyncio


async def main():
    def inner(loop=asyncio.get_event_loop()):
        return loop.is_running()

    class Body:
        loop = asyncio.get_event_loop()

    later = lambda: asyncio.get_event_loop().is_running()
    found = [asyncio.get_event_loop() for _ in range(2)]
    lazy = (asyncio.get_event_loop() for _ in range(2))
    print(inner(), Body.loop.is_running(), later(), found[0] is found[1], len(list(lazy)))
    return (asyncio.get_event_loop() for _ in range(1))


left = asyncio.run(main())
asyncio.set_event_loop(asyncio.new_event_loop())
print(next(left).is_running())
