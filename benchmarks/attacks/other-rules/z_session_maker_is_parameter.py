# announced: `self.factory` may return an instance of `Recorder`
# rules: session-context-manager
from collections.abc import Callable
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


def seed() -> None:
    with SessionLocal() as db:
        ann = User(name="ann", age=30)
        bob = User(name="bob", age=40)
        db.add_all([ann, bob])
        db.flush()
        db.add_all([Order(total=10, user_id=ann.id), Order(total=20, user_id=ann.id), Order(total=5, user_id=bob.id)])
        db.commit()

class Recorder:
    def __init__(self) -> None:
        self.closed = False

    def scalar(self, statement) -> int:
        return 7

    def close(self) -> None:
        self.closed = True


def count(factory: Callable[[], Session] = SessionLocal) -> int:
    db = factory()
    try:
        return db.scalar(select(func.count(User.id)))
    finally:
        db.close()


class Job:
    factory = SessionLocal

    def run(self) -> int:
        db = self.factory()
        try:
            return db.scalar(select(func.count(Order.id)))
        finally:
            db.close()


class FakeJob(Job):
    factory = Recorder


def run() -> None:
    recorder = Recorder()
    print(count(), count(lambda: recorder), recorder.closed, Job().run(), FakeJob().run())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
