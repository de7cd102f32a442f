import asyncio

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from blog import Base, User

engine = create_async_engine("sqlite+aiosqlite://")


async def main():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        session.add(User(id=1, name="ann"))
        await session.commit()
    async with AsyncSession(engine) as session:
        await session.execute(update(User).values(name="bob"))
        await session.commit()
        print((await session.scalars(select(User))).one().name)
    await engine.dispose()


asyncio.run(main())
