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

class Users:
    def __init__(self, db: Session) -> None:
        self.db = db

    def __contains__(self, name: str) -> bool:
        return self.db.scalar(select(User.id).where(User.name == name)) is not None

    def __iter__(self):
        return iter(self.db.scalars(select(User).order_by(User.id)).all())

    def find(self, name: str) -> int:
        return self.db.scalar(select(User.age).where(User.name == name))


def run() -> None:
    with SessionLocal() as db:
        users = Users(db)
        print("ann" in users, "zed" in users, [u.name for u in users], users.find("bob"))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
