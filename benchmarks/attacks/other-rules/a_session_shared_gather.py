# rules: session-shared-across-tasks, gather-to-taskgroup
import asyncio

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///a.db")
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)


async def count(db: AsyncSession, log: list[str]) -> int:
    log.append("count")
    return await db.scalar(select(func.count(Item.id)))


async def add(db: AsyncSession, log: list[str]) -> None:
    db.add(Item())
    log.append("add")


async def separate(log: list[str]) -> int:
    async with Session() as db:
        return await count(db, log)


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    log: list[str] = []
    async with Session() as db:
        _, n = await asyncio.gather(add(db, log), count(db, log))
        print(n, log)
        await db.commit()
    print(await asyncio.gather(separate(log), separate(log)))
    await engine.dispose()


asyncio.run(main())
