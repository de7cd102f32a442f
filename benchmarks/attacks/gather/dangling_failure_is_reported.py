import asyncio


async def bad():
    raise ValueError("unseen")


def start():
    asyncio.create_task(bad())


async def main():
    heard = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: heard.append(str(context.get("exception"))))
    start()
    await asyncio.sleep(0.01)
    print(heard)


asyncio.run(main())
print("end")
