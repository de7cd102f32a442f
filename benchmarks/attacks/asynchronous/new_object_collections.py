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

def build(db: Session, name: str) -> User:
    user = User(name=name)
    db.add(user)
    db.commit()
    return user


def get_or_create(db: Session, model, **values):
    found = db.scalars(select(model).filter_by(**values)).first()
    if found:
        return found, False
    made = model(**values)
    db.add(made)
    db.flush()
    return made, True


def run() -> None:
    with SessionLocal() as db:
        user = build(db, "n")
        user.orders.append(Order(total=1))
        db.commit()
        print(len(user.orders), user.orders[0].user is user)
        other, made = get_or_create(db, User, name="o", age=3)
        other.orders.append(Order(total=2))
        db.commit()
        print(made, [o.total for o in other.orders], get_or_create(db, User, name="o")[0] is other)
        db.rollback()
        other.orders.extend([Order(total=3)])
        db.commit()
        print([o.total for o in other.orders])


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
