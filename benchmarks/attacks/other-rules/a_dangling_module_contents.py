# rules: dangling-task
import asyncio
import sys


async def job() -> None:
    await asyncio.sleep(0)


class Runner:
    jobs = 0

    async def run(self) -> None:
        Runner.jobs += 1
        asyncio.create_task(job())

    def names(self) -> list[str]:
        return sorted(n for n in dir(sys.modules[__name__]) if not n.startswith("__"))


async def main() -> None:
    await Runner().run()
    print(Runner().names(), sorted(vars(Runner)) [:0], Runner.jobs)


asyncio.run(main())
