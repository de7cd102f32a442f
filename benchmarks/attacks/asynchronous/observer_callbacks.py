from collections.abc import Callable
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

class Bus:
    def __init__(self) -> None:
        self.handlers: dict[str, list[Callable]] = {}

    def on(self, event: str):
        def register(function):
            self.handlers.setdefault(event, []).append(function)
            return function

        return register

    def emit(self, event: str, *args) -> list:
        return [handler(*args) for handler in self.handlers.get(event, [])]


bus = Bus()


@bus.on("created")
def bump(db: Session, user: User) -> int:
    db.execute(update(User).where(User.id == user.id).values(age=User.age + 1))
    return 1


@bus.on("created")
def log(db: Session, user: User) -> str:
    return user.name


def run() -> None:
    with SessionLocal() as db:
        user = User(name="n")
        db.add(user)
        db.flush()
        print(bus.emit("created", db, user), bus.emit("other"))
        db.commit()
        print(user.age)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
