# rules: session-shared-across-tasks
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
    name: Mapped[str]


async def stage(db: AsyncSession, name: str, ready: asyncio.Event | None = None) -> str:
    if ready is not None:
        await asyncio.wait_for(ready.wait(), 0.5)
    db.add(Item(name=name))
    return name


async def signal(db: AsyncSession, ready: asyncio.Event) -> str:
    ready.set()
    db.add(Item(name="signal"))
    return "signal"


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with Session() as db:
        ready = asyncio.Event()
        try:
            print(await asyncio.gather(stage(db, "late", ready), signal(db, ready)))
        except TimeoutError:
            print("TimeoutError")
        a, b = await asyncio.gather(stage(db, "a"), stage(db, "b"))
        await db.commit()
        print(a, b, (await db.scalars(select(Item.name).order_by(Item.id))).all())
    await engine.dispose()


asyncio.run(main())
