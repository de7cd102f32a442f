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


class Repo:
    def __init__(self, db: Session) -> None:
        self.db = db

    def add(self, name: str) -> User:
        user = User(name=name)
        self.db.add(user)
        self.db.flush()
        return user

    def names(self) -> list[str]:
        return list(self.db.scalars(select(User.name).order_by(User.name)))


# --- tests/test_repo.py
import pytest

import main


class TestRepo:
    @pytest.fixture(autouse=True)
    def setup(self):
        main.Base.metadata.create_all(main.engine)
        with main.SessionLocal() as db:
            self.repo = main.Repo(db)
            yield
            db.rollback()

    @pytest.mark.parametrize("names", [["a"], ["b", "a"]], ids=["one", "two"])
    def test_names(self, names):
        for name in names:
            self.repo.add(name)
        assert self.repo.names() == sorted(names)

    def test_patched(self, monkeypatch):
        monkeypatch.setattr(self.repo, "names", lambda: ["z"])
        assert self.repo.names() == ["z"]

    def teardown_method(self):
        assert self.repo.db is not None
