# rules: session-context-manager
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

log: list[str] = []


def swallow(n: int):
    db = SessionLocal()
    try:
        if n:
            raise ValueError(n)
        return db.get(User, 1).name
    except ValueError:
        log.append("handled")
    finally:
        log.append(f"in transaction {db.in_transaction()}")
        db.close()
        log.append("closed")
        if n > 1:
            return "finally"


def loop() -> list[str]:
    out = []
    for n in (1, 9, 2):
        db = SessionLocal()
        try:
            user = db.get(User, n)
            if user is None:
                continue
            out.append(user.name)
        finally:
            db.close()
    else:
        out.append("else")
    return out


def run() -> None:
    print(swallow(0), swallow(1), swallow(2), loop(), log)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
