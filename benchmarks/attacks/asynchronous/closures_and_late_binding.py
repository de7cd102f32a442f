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

def counter_for(db: Session):
    calls = 0

    def count(model) -> tuple[int, int]:
        nonlocal calls
        calls += 1
        return calls, db.scalar(select(func.count()).select_from(model))

    return count


def run() -> None:
    with SessionLocal() as db:
        count = counter_for(db)
        print(count(User), count(Order))
        jobs = []
        for name in ("ann", "bob"):
            def job(name=name):
                return db.scalar(select(User.age).where(User.name == name))
            jobs.append(job)
        print([job() for job in jobs])
        table = {"a": counter_for(db), "b": count}
        print({key: f(User)[0] for key, f in table.items()})


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
