import asyncio

log = []


class Lazy:
    @property
    def value(self):
        log.append("value")
        return 3


def work(x):
    log.append("work")
    return x


async def main():
    lazy = Lazy()
    loop = asyncio.get_running_loop()
    call = loop.run_in_executor(None, lambda: work(lazy.value))
    log.append("between")
    await call
    log.append("next")
    await loop.run_in_executor(None, lambda: work(lazy.value))
    print([x for x in log if x != "between"])


asyncio.run(main())
