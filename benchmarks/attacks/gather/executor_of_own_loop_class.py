# announced: a loop class of the program overrides it
import asyncio


class Loop(asyncio.SelectorEventLoop):
    def run_in_executor(self, executor, function, *arguments):
        print("executor", getattr(function, "__name__", "?"), arguments)
        return super().run_in_executor(executor, function, *arguments)


def add(a, b):
    return a + b


async def main():
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, add, 1, 2))


loop = Loop()
loop.run_until_complete(main())
loop.close()
