# announced: the group cancels the others
import asyncio


async def main(delay):
    try:
        await asyncio.gather(asyncio.sleep(0.03), asyncio.sleep(delay))
    except TypeError as error:
        print("TypeError", error.__context__)
    print(len(asyncio.all_tasks()))


asyncio.run(main("soon"))
