# rules: query-to-select
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

def run() -> None:
    with SessionLocal() as db:
        print(dict(db.query(User.name, User.age).order_by(User.id)))
        print({name: age for name, age in db.query(User.name, User.age)} == {"ann": 30, "bob": 40})
        print([row._asdict() for row in db.query(User.name, func.count(Order.id).label("count")).join(Order).group_by(User.name).order_by(User.name)])
        row = db.query(User, Order.total).join(Order).order_by(Order.id).first()
        print(row._fields, row.User.name, row.total, isinstance(row, tuple), row[1] == 10, len(row))
        print(db.query(User.name).order_by(User.id).all() == [("ann",), ("bob",)], type(db.query(User.id).all()).__name__)
        (name,), *others = db.query(User.name).order_by(User.id).all()
        print(name, others, db.query(User.name).filter(User.id == 1).one()[0], list(zip(*db.query(User.id, User.name).order_by(User.id))))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
