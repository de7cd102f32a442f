from abc import ABC, abstractmethod
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

class Repository(ABC):
    @abstractmethod
    def get(self, name: str) -> User | None: ...

    @abstractmethod
    def add(self, user: User) -> None: ...

    def ensure(self, name: str) -> User:
        user = self.get(name)
        if user is None:
            user = User(name=name, age=1)
            self.add(user)
        return user


class SqlRepository(Repository):
    def __init__(self, db: Session) -> None:
        self.db = db

    def get(self, name: str) -> User | None:
        return self.db.scalars(select(User).where(User.name == name)).one_or_none()

    def add(self, user: User) -> None:
        self.db.add(user)
        self.db.flush()


class MemoryRepository(dict, Repository):
    def add(self, user: User) -> None:
        self[user.name] = user

    get = dict.get


def run() -> None:
    with SessionLocal() as db:
        for repository in (SqlRepository(db), MemoryRepository()):
            print(repository.ensure("n").age, repository.ensure("n") is repository.get("n"), type(repository).__name__)


def main() -> None:
    Base.metadata.create_all(engine)
    seed()
    run()


if __name__ == "__main__":
    main()
