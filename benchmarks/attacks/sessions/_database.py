"""The engine, the models and the dependency of most programs of this folder."""

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    posts: Mapped[list["Post"]] = relationship(back_populates="author", order_by="Post.id")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User | None] = relationship(back_populates="posts")


def get_db():
    with SessionLocal() as db:
        yield db


def seed() -> None:
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add(User(id=1, name="ann", posts=[Post(id=1, title="a"), Post(id=2, title="b")]))
        db.add_all([User(id=2, name="bob"), Post(id=3, title="c")])
        db.commit()
