# rules: async-driver-url
import asyncio
import os

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

os.environ["DB"] = "sqlite:///a.db"


def normalise(url: str) -> str:
    return url.replace("sqlite://", "sqlite+aiosqlite://", 1)


PLAIN = "sqlite:///b.db"
URLS = {"main": "sqlite+aiosqlite:///c.db", "plain": PLAIN}
print(PLAIN.split(":")[0], make_url(PLAIN).drivername)


async def ask(url) -> str:
    try:
        engine = create_async_engine(url)
    except Exception as error:
        return type(error).__name__
    async with engine.connect() as connection:
        value = (await connection.execute(text("select 7"))).scalar()
    await engine.dispose()
    return str(value)


async def main() -> None:
    print(await ask(normalise(PLAIN)), await ask(URLS["main"]), await ask(PLAIN), await ask(URLS["plain"]))
    print(await ask(normalise(os.environ["DB"])), await ask(URL.create("sqlite+aiosqlite", database="d.db")))
    engine = create_async_engine(normalise("sqlite:///e.db"))
    print(engine.url)
    await engine.dispose()


asyncio.run(main())
