from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.pool import StaticPool

engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
Sessions = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Channel(Base):
    __tablename__ = "channels"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    text: Mapped[str]
    channel: Mapped[Channel] = relationship(lazy="joined")


async def create_tables():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)


async def keep(session: AsyncSession, channel: str, text: str) -> int:
    found = await session.scalar(select(Channel).filter_by(name=channel))
    if found is None:
        found = Channel(name=channel)
        session.add(found)
        await session.flush()
    message = Message(channel_id=found.id, text=text)
    session.add(message)
    await session.flush()
    key = message.id
    await session.commit()
    return key


async def texts(channel: str) -> list[str]:
    async with Sessions() as session:
        query = select(Message).join(Channel).where(Channel.name == channel).order_by(Message.id)
        return [f"{one.channel.name}: {one.text}" for one in await session.scalars(query)]
