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

class Service:
    model = User

    def __init__(self, db: Session) -> None:
        self.db = db

    @property
    def query(self):
        return self.db.query(self.model)

    def base(self):
        return self.query.filter(self.model.id > 0)

    def names(self) -> list[str]:
        return [x.name for x in self.base().order_by(self.model.id)]

    def count(self) -> int:
        return self.base().count()


class OrderService(Service):
    model = Order

    def base(self):
        return super().base().filter(Order.total > 5)


def run() -> None:
    with SessionLocal() as db:
        print(Service(db).names(), OrderService(db).count(), Service(db).query.first().name, OrderService(db).base().first().total)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
