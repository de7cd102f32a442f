# pytest: yes
from sqlalchemy import ForeignKey, create_engine, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    age: Mapped[int] = mapped_column(default=0)
    orders: Mapped[list["Order"]] = relationship(back_populates="user", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship(back_populates="orders")


class Service:
    def __init__(self, db: Session) -> None:
        self.db = db

    def rename(self, key: int, name: str) -> bool:
        user = self.db.get(User, key)
        if user is None:
            return False
        user.name = name
        self.db.commit()
        return True


# --- tests/fakes.py
class FakeSession:
    def __init__(self, **rows):
        self.rows = rows
        self.commits = 0

    def get(self, model, key):
        return self.rows.get(f"{model.__name__}{key}")

    def commit(self):
        self.commits += 1


# --- tests/test_service.py
from types import SimpleNamespace

import main
from fakes import FakeSession


def test_rename():
    user = SimpleNamespace(name="old")
    db = FakeSession(User1=user)
    assert main.Service(db).rename(1, "new")
    assert user.name == "new" and db.commits == 1
    assert not main.Service(db).rename(2, "x")
