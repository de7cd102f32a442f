# rules: query-to-select
from sqlalchemy.orm import Bundle, aliased
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
        row = db.query(Bundle("pair", User.id, User.name)).order_by(User.id).first()
        print(row.pair.name, row.pair)
        print(db.query(User.__table__.c.name, Order.__table__).join(Order.__table__, Order.__table__.c.user_id == User.__table__.c.id).order_by("total").first())
        a, b = aliased(User), aliased(User)
        print([(x.name, y.name) for x, y in db.query(a, b).filter(a.id < b.id)])
        print(db.query(User, User.name.label("upper")).add_columns(User.age).order_by(User.id).first()[1:])
        print([tuple(r) for r in db.query(User.id, Order).join(User.orders).with_entities(User.id, Order.total).order_by(Order.total)])
        print(db.query(User.id.label("id"), Order.id.label("order_id")).join(Order).order_by(Order.id).first()._asdict())
        print(db.query(User).select_from(Order).join(Order.user).distinct().count(), db.query(User).select_from(Order).join(Order.user).all()[0].name)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
