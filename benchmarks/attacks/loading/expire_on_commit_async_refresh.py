import asyncio

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from blog import Base, Post, User

engine = create_async_engine("sqlite+aiosqlite://")
Local = async_sessionmaker(engine)


async def rename(session: AsyncSession, user):
    await session.execute(text("update users set name = 'raw' where id = :id"), {"id": 1})
    await session.commit()


async def main():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Local() as session:
        user = User(id=1, name="ann")
        session.add(user)
        await session.commit()
        await rename(session, user)
        print((await session.scalars(select(User.name))).all())
        await session.refresh(user)
        print(user.name)
        await rename(session, user)
        await session.execute(text("update users set name = 'again'"))
        await session.commit()
        print((await session.get(User, 1)).name)
    await engine.dispose()


asyncio.run(main())
