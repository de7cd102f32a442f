# rules: executor-to-thread
import asyncio
import functools
import time


class Job:
    calls = []

    def __call__(self, *args):
        self.calls.append(args)
        return len(args)

    def __eq__(self, other):
        return True

    __hash__ = None


def failing(n):
    raise KeyError(n)


async def main():
    loop = asyncio.get_running_loop()
    job = Job()
    extra = (4, 5)
    print(await loop.run_in_executor(None, job, 1, 2, 3))
    print(await loop.run_in_executor(None, job, *extra))
    print(await loop.run_in_executor(None, functools.partial(dict, func=1, a=2)))
    print(await loop.run_in_executor(executor=None, func=job))
    try:
        await loop.run_in_executor(None, failing, "k")
    except KeyError as error:
        print(repr(error), error.__traceback__.tb_frame.f_code.co_name)
    task = asyncio.ensure_future(loop.run_in_executor(None, time.sleep, 0.05))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")


asyncio.run(main())
