# rules: asyncio-run, running-loop
import asyncio
import sys


async def main(argv: list[str]) -> int:
    loop = asyncio.get_running_loop()
    loop.call_later(30, print, "never")
    asyncio.current_task().set_name("main")
    return len(argv)


if __name__ == "__main__":
    loop = asyncio.get_event_loop_policy().new_event_loop()
    try:
        code = loop.run_until_complete(main(sys.argv))
    finally:
        loop.close()
    print(code, loop.is_closed())
    sys.exit(code + 1)
