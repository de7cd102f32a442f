# rules: asyncio-run
import asyncio
from contextvars import ContextVar

level = ContextVar("level", default=0)


async def main() -> int:
    level.set(level.get() + 5)
    return level.get()


if __name__ == "__main__":
    level.set(1)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        result = loop.run_until_complete(main())
    finally:
        loop.close()
    print(result, level.get())
