# announced: returns loaded objects unchanged, unless
import asyncio

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from blog import Base, User

engine = create_async_engine("sqlite+aiosqlite://")


class Unit:
    def __init__(self, factory):
        self.factory = factory

    async def __aenter__(self):
        self.session = self.factory()
        return self.session

    async def __aexit__(self, *error):
        await self.session.commit()
        await self.session.close()


async def main():
    unit = Unit(async_sessionmaker(engine))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with unit as session:
        user = User(id=1, name="ann")
        session.add(user)
        await session.flush()
    try:
        print(user.name)
    except Exception as error:
        print(type(error).__name__)
    async with unit as session:
        found = await session.get(User, 1)
        await session.commit()
        async with engine.begin() as connection:
            await connection.execute(text("update users set name = 'x'"))
        print((await session.scalars(select(User))).one().name)
    await engine.dispose()


asyncio.run(main())
