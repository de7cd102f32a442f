# announced: it fails today, and a surrounding `except` hides that
# rules: async-driver-url
import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

os.makedirs("data", exist_ok=True)


def build():
    return create_async_engine("sqlite:///data/a.db", echo=False)


async def main() -> None:
    for make in (build, lambda: create_async_engine("sqlite+aiosqlite://")):
        try:
            engine = make()
        except Exception as error:
            print(type(error).__name__)
            continue
        async with engine.connect() as connection:
            print((await connection.execute(text("select 3"))).scalar())
        await engine.dispose()


asyncio.run(main())
