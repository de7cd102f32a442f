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
        query = db.query(User, Order.total).join(Order)
        print([d["name"] for d in query.column_descriptions], query.session is db, query.whereclause)
        print(type(query).__name__, query.statement.is_select, str(query.statement)[:6], hasattr(query, "all"))
        copied = query.filter(User.id == 1)
        print(query is copied, query.count(), copied.count(), copied.whereclause is not None)
        print(db.query(User).filter(User.id == 1).with_entities(User.name, User.age).one(), db.query(User).with_entities(func.count()).scalar())
        print(db.query(User).filter(User.id == 2).value(User.name) if hasattr(query, "value") else "-", list(db.query(User.id).order_by(User.id).add_columns(User.name)))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
