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

calls: list[str] = []


def has(db: Session, name: str) -> bool:
    calls.append(name)
    return db.scalar(select(User.id).where(User.name == name)) is not None


class Score:
    value = 0

    def total(self, db: Session) -> int:
        self.value = 100
        return db.scalar(select(func.sum(Order.total)))


def run() -> None:
    with SessionLocal() as db:
        print(any(has(db, n) for n in ("x", "ann", "bob")), calls)
        calls.clear()
        print(all(has(db, n) for n in ("ann", "x", "bob")), calls)
        calls.clear()
        print(next((n for n in ("x", "bob", "ann") if has(db, n)), None), calls)
        print(has(db, "ann") or has(db, "q"), 1 if has(db, "z") else 2, calls)
        score = Score()
        score.value += score.total(db)
        print(score.value, (score.value, score.total(db), score.value))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
