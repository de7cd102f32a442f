# rules: expire-on-commit
import asyncio

from sqlalchemy import ForeignKey, func, select, text
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_async_engine("sqlite+aiosqlite:///a.db")
Session = async_sessionmaker(engine)


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    v: Mapped[int] = mapped_column(server_default="5")


async def bump(db: AsyncSession, item: Item) -> None:
    item.n += 1
    await db.commit()


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Session() as db, Session() as other:
        item = Item(n=1)
        db.add(item)
        await db.commit()
        await db.refresh(item)
        await bump(db, item)
        await other.execute(text("update items set n = 50"))
        await other.commit()
        same = (await db.scalars(select(Item))).one()
        print(same is item, same.n, await item.awaitable_attrs.v)
        same.n = 3
        await db.rollback()
        print((await db.get(Item, 1)).n)
    await engine.dispose()


asyncio.run(main())
