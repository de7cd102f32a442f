# announced: is added
import asyncio

from sqlalchemy import select
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from blog import Base, Post, User

engine = create_async_engine("sqlite+aiosqlite://")


async def main():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        session.add(User(id=1, name="ann", posts=[Post(title="p")]))
        await session.commit()
    async with AsyncSession(engine, expire_on_commit=False) as session:
        for user in (await session.scalars(select(User))).all():
            try:
                print([post.title for post in user.posts])
            except MissingGreenlet:
                print("missing")
    await engine.dispose()


asyncio.run(main())
