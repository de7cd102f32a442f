# rules: executor-to-thread, running-loop
import asyncio


class Reader:
    def __init__(self) -> None:
        self.path = "first"
        self.reads: list[str] = []

    def read(self, path: str) -> str:
        self.reads.append(path)
        return path

    @property
    def current(self) -> str:
        self.reads.append("property")
        return self.path


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = Reader()
    print(await loop.run_in_executor(None, lambda: reader.read(reader.path)))
    print(await loop.run_in_executor(None, lambda: reader.read(reader.current)))
    print(await loop.run_in_executor(None, lambda x="default": reader.read(x)))
    print(await loop.run_in_executor(None, lambda *a: a, 1, 2))
    reads = await loop.run_in_executor(None, lambda: [reader.read(str(i)) for i in range(2)])
    value = (await loop.run_in_executor(None, reader.read, "x")).upper()
    print(reads, value, reader.reads)
    futures = [loop.run_in_executor(None, reader.read, str(i)) for i in range(3)]
    print(sorted(await asyncio.gather(*futures)))
    async with asyncio.timeout(1):
        print(await loop.run_in_executor(None, int, "7", 8))


asyncio.run(main())
