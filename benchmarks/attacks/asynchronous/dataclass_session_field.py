from dataclasses import dataclass, field
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

@dataclass
class UnitOfWork:
    db: Session = field(default_factory=SessionLocal)
    log: list[str] = field(default_factory=list)

    def __enter__(self) -> "UnitOfWork":
        self.log.append("enter")
        return self

    def __exit__(self, kind, value, traceback) -> bool:
        if kind is None:
            self.db.commit()
        else:
            self.db.rollback()
        self.db.close()
        self.log.append(kind.__name__ if kind else "exit")
        return kind is KeyError


def run() -> None:
    with UnitOfWork() as work:
        work.db.add(User(name="c"))
    second = UnitOfWork()
    with second:
        second.db.add(User(name="d"))
        second.db.flush()
        raise KeyError("d")
    print(work.log, second.log)
    with SessionLocal() as db:
        print(db.scalars(select(User.name).order_by(User.id)).all())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
