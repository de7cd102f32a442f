# rules: expire-on-commit
import asyncio

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///a.db")
Session = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]


async def add(n: int) -> None:
    async with Session() as db:
        db.add(Item(n=n))
        await db.commit()


async def raise_all(db: AsyncSession) -> list[int]:
    items = (await db.scalars(select(Item).order_by(Item.id))).all()
    await db.execute(text("update items set n = n + 10"))
    await db.commit()
    again = (await db.scalars(select(Item).order_by(Item.id))).all()
    return [i.n for i in again] + [len(items)]


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await add(1)
    await add(2)
    async with Session() as db:
        print(await raise_all(db))
    await engine.dispose()


asyncio.run(main())
