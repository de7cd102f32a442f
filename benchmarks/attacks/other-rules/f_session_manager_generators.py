# rules: session-context-manager, session-dependency
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

log: list[str] = []


def sessions():
    db = SessionLocal()
    try:
        yield db
        db.commit()
    except ValueError:
        db.rollback()
        log.append("rollback")
        raise
    finally:
        db.close()
        log.append("close")


def rows():
    db = SessionLocal()
    for user in db.query(User).order_by(User.id):
        yield user.name
    db.close()
    log.append("rows closed")


class Job:
    def __init__(self):
        self.db = SessionLocal()

    def run(self) -> int:
        try:
            return self.db.query(User).count()
        finally:
            self.db.close()


def run() -> None:
    for db in sessions():
        print(db.query(User).count())
    generator = sessions()
    next(generator)
    try:
        generator.throw(ValueError("x"))
    except ValueError as error:
        print(error)
    print(list(rows()), next(rows()), Job().run(), log)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
