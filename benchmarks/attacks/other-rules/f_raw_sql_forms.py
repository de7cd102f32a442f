# announced: it fails today, and the caller of this lambda may hide that
# rules: raw-sql-text
from sqlalchemy import text
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

SQL = "select name from users where id = :id"


def attempt(function):
    try:
        return function()
    except Exception as error:
        return type(error).__name__


def run() -> None:
    with SessionLocal() as db:
        print(attempt(lambda: db.execute("select 1").scalar()), attempt(lambda: db.scalar(SQL, {"id": 1})))
        print(db.execute(text("select '10:30'")).scalar(), db.execute(text(SQL), {"id": 2}).scalar())
    with engine.connect() as connection:
        print(attempt(lambda: connection.execute("select count(*) from users").scalar()))
        print(connection.exec_driver_sql("select count(*) from users where name like 'a%'").scalar())
    class Fake:
        def execute(self, sql):
            return sql.upper()
    print(Fake().execute("select 2"))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
