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
        a = db.get(User, 1)
        b = db.scalars(select(User).where(User.name == "ann")).one()
        c = db.query(User).filter_by(id=1).first()
        print(a is b is c, a in db)
        db.bulk_save_objects([User(name="s1"), User(name="s2")])
        db.bulk_insert_mappings(User, [{"name": "m1"}, {"name": "m2", "age": 3}])
        db.execute(update(User), [{"id": 1, "age": 60}, {"id": 2, "age": 61}])
        print(a.age, db.scalars(select(User.age).order_by(User.id)).all())
        db.refresh(a)
        print(a.age)
        print(db.get(User, 1, populate_existing=True) is a, db.get_one(User, 2).age)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
