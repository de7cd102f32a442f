# announced: it fails today, and a surrounding `except` hides that
# rules: query-to-select, raw-sql-text
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

def run() -> None:
    with SessionLocal() as db:
        print(db.execute(db.query(User.name).filter(User.id == 1).statement).all())
        print(db.scalars(db.query(User).filter(User.id == 2).statement).one().name)
        print([u.name for u in db.query(User).from_statement(text("select * from users where age > :a")).params(a=35)])
        sub = db.query(Order.user_id).filter(Order.total > 15)
        print(db.execute(select(User.name).where(User.id.in_(sub.scalar_subquery()))).all())
        try:
            print(db.execute("select count(*) from users").scalar())
        except Exception as error:
            print(type(error).__name__)
        print(str(db.query(User.id).filter(User.id == 1)).split()[0], repr(db.query(User.id).all()))


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
