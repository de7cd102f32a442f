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

def page(db: Session, after: int, size: int = 1) -> list[Order]:
    return list(db.scalars(select(Order).where(Order.id > after).order_by(Order.id).limit(size)))


def run() -> None:
    last, totals = 0, []
    with SessionLocal() as db:
        while orders := page(db, last, size=2):
            totals += [(o.total, o.user.name) for o in orders]
            last = orders[-1].id
            db.commit()
            print(orders[0].user.age)
        else:
            print("end", page(db, last))
        match page(db, 0):
            case [Order(total=total) as first] if first.user.name == "ann" and page(db, 1):
                print("match", total, first.user.name)
            case _:
                print("none")
    print(totals)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
