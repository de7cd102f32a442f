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


def count(db: Session) -> int:
    return db.scalar(select(func.count(User.id)))


# --- tests/test_count.py
import main


class TestCount:
    @classmethod
    def setup_class(cls):
        main.Base.metadata.create_all(main.engine)

    def setup_method(self, method):
        self.db = main.SessionLocal()
        self.db.add(main.User(name=method.__name__))
        self.db.flush()

    def teardown_method(self):
        self.db.rollback()
        self.db.close()

    def test_one(self):
        assert main.count(self.db) == 1

    def test_two(self):
        assert main.count(self.db) == 1
