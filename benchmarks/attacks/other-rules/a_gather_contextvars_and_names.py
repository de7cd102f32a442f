# announced: does not see context variables that are set while the next one is made
# rules: gather-to-taskgroup
import asyncio
from contextvars import ContextVar

user: ContextVar[str] = ContextVar("user", default="-")
order: list[str] = []


async def as_user(name: str) -> str:
    order.append(f"{name} sees {user.get()}")
    user.set(name)
    await asyncio.sleep(0)
    return user.get()


def build(name: str):
    order.append(f"build {name}")
    user.set(f"built {name}")
    return as_user(name)


async def main() -> None:
    print(await asyncio.gather(build("a"), build("b")), user.get(), order)
    task_count = len(asyncio.all_tasks())
    tg = "mine"
    group = await asyncio.gather(as_user("c"))
    task, results = "t", "r"
    print(group, tg, task, results, len(asyncio.all_tasks()) == task_count)


asyncio.run(main())
