import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession, create_async_engine

from blog import Base, Post, User

engine = create_async_engine("sqlite+aiosqlite://")


def titles(session):
    return [post.title for user in session.scalars(select(User)) for post in user.posts]


async def main():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        session.add(User(id=1, name="ann", posts=[Post(title="p")]))
        await session.commit()
    async with AsyncSession(engine, expire_on_commit=False) as session:
        print(await session.run_sync(titles))
        user = (await session.scalars(select(User))).first()
        print(await session.run_sync(lambda sync: [p.title for p in user.posts]))
    await engine.dispose()


asyncio.run(main())
