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

def paginate(query, page: int, size: int = 2) -> dict:
    items = query.limit(size).offset((page - 1) * size).all()
    return {"total": query.order_by(None).count(), "items": [i.id for i in items]}


def only_adults(query):
    return query.filter(User.age >= 35)


def run() -> None:
    with SessionLocal() as db:
        print(paginate(db.query(Order).order_by(Order.id), 1), paginate(db.query(Order).order_by(Order.id.desc()), 2, size=1))
        print(paginate(only_adults(db.query(User)), 1), only_adults(db.query(User.name)).all(), only_adults(db.query(User)).first().name)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
