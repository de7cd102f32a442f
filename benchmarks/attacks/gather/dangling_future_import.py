"""Docstring of the module."""
from __future__ import annotations

import asyncio


class Service:
    started: list[int] = []

    async def work(self, n):
        self.started.append(n)

    def start(self):
        asyncio.create_task(self.work(1))
        one = asyncio.create_task(self.work(2))
        one.add_done_callback(lambda done: self.started.append("done"))


async def main():
    Service().start()
    await asyncio.sleep(0.01)
    print(Service.started, __doc__)


asyncio.run(main())
