# rules: wait-for-to-timeout
# python: 3.12
import asyncio
from contextvars import ContextVar

user = ContextVar("user", default="-")


async def set_user(name: str) -> str:
    user.set(name)
    return name


async def seen() -> list[str]:
    result = await asyncio.wait_for(set_user("ann"), 1)
    return [result, user.get()]


async def unbound(flag: bool) -> str:
    if flag:
        value = await asyncio.wait_for(set_user("x"), timeout=1)
    try:
        return value
    except UnboundLocalError:
        return "unbound"


async def returns(n: int):
    for i in range(n):
        if i == 1:
            return await asyncio.wait_for(asyncio.sleep(0, i), 1)
    return None


async def main() -> None:
    print(await seen(), user.get(), await unbound(True), await unbound(False), await returns(3), await returns(1))
    data = {"k": await asyncio.wait_for(set_user("d"), 1)}
    data["n"], other = await asyncio.wait_for(asyncio.gather(set_user("e"), set_user("f")), 1)
    print(data, other, user.get())
    assert await asyncio.wait_for(set_user("g"), 1) == "g", await asyncio.wait_for(set_user("h"), 1)
    print(user.get())


asyncio.run(main())
