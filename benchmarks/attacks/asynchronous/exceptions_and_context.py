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

class NotFound(Exception):
    pass


def require(db: Session, name: str) -> User:
    try:
        return db.scalars(select(User).where(User.name == name)).one()
    except Exception as error:
        raise NotFound(name) from error


def run() -> None:
    with SessionLocal() as db:
        try:
            require(db, "zed")
        except NotFound as error:
            print(error, type(error.__cause__).__name__, error.__cause__)
        try:
            try:
                require(db, "q")
            finally:
                require(db, "w")
        except NotFound as error:
            print(error, error.__context__)
        try:
            raise NotFound(require(db, "ann").name)
        except NotFound as error:
            print(error.args)
        assert require(db, "bob").age == 40, require(db, "never")
        try:
            assert require(db, "bob").age == 1, require(db, "ann").name
        except AssertionError as error:
            print("assert", error)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
