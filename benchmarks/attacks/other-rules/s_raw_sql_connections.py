# announced: it fails today, and a surrounding `except` hides that
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

def tables(db: Session, table: str = "users") -> str:
    try:
        return str(db.execute(f"select count(*) from {table}").scalar())
    except Exception as error:
        return type(error).__name__


def colon(db: Session) -> str:
    try:
        return db.execute("select 'a:b', '%d'").first()[0]
    except Exception as error:
        return type(error).__name__


def run() -> None:
    with SessionLocal() as db:
        print(tables(db), colon(db))
        statement = "update users set age = :age where name = :name"
        for execute in (db.execute,):
            try:
                execute(statement, {"age": 1, "name": "ann"})
            except Exception as error:
                print(type(error).__name__)
        db.execute(text(statement), [{"age": 2, "name": "ann"}, {"age": 3, "name": "bob"}])
        print(db.scalars(select(User.age).order_by(User.id)).all())


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
