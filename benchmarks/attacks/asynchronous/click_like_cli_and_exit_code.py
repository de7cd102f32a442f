import argparse
import sys
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

def cmd_list(db: Session, args: argparse.Namespace) -> int:
    print([u.name for u in db.scalars(select(User).order_by(User.id).limit(args.limit))])
    return 0


def cmd_check(db: Session, args: argparse.Namespace) -> int:
    return 3 if db.scalar(select(func.count(User.id))) else 0


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=1)
    commands = parser.add_subparsers()
    commands.add_parser("list").set_defaults(run=cmd_list)
    commands.add_parser("check").set_defaults(run=cmd_check)
    return parser


def main(argv: list[str]) -> int:
    Base.metadata.create_all(engine)
    args = build().parse_args(argv)
    with SessionLocal() as db:
        return args.run(db, args)


if __name__ == "__main__":
    main(["list"])
    seed()
    main(["--limit", "2", "list"])
    sys.exit(main(["check"]))
