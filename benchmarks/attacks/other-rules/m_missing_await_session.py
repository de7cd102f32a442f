# announced: code that never ran now runs
# rules: missing-await
import asyncio
import warnings

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

warnings.simplefilter("ignore")
engine = create_async_engine("sqlite+aiosqlite:///a.db")
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)


async def add(db: AsyncSession) -> None:
    db.add(Item())
    db.flush()
    await db.flush()


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Session() as db:
        await add(db)
        db.commit()
    async with Session() as db:
        print(await db.scalar(select(func.count(Item.id))))
    await engine.dispose()


asyncio.run(main())
