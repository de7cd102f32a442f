# rules: pool-event-target
import asyncio

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

log: list[str] = []


def listen(engine) -> str:
    try:
        @event.listens_for(engine, "connect")
        def on_connect(connection, record):
            log.append("connect")
    except Exception as error:
        return type(error).__name__
    return "listening"


async def main() -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    print(listen(engine), listen(engine.sync_engine))
    async with engine.connect() as connection:
        print((await connection.execute(text("select 1"))).scalar())
    await engine.dispose()
    print(log)


asyncio.run(main())
