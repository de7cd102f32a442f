from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from collections.abc import Iterator

engine = create_engine("sqlite:///a.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    entries: Mapped[list["Entry"]] = relationship(back_populates="account", cascade="all, delete-orphan")

    @hybrid_property
    def balance(self) -> int:
        return sum(e.amount for e in self.entries)

    @balance.inplace.expression
    @classmethod
    def _balance(cls):
        return select(func.coalesce(func.sum(Entry.amount), 0)).where(Entry.account_id == cls.id).scalar_subquery()

    @property
    def last(self) -> "Entry | None":
        return max(self.entries, key=lambda e: e.id, default=None)


class Entry(Base):
    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    account: Mapped[Account] = relationship(back_populates="entries")


class AccountOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    balance: int



def get_db() -> Iterator[Session]:
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Base.metadata.create_all(engine)

app = FastAPI()

@app.post("/accounts", response_model=AccountOut)
def create(amount: int, db: Session = Depends(get_db)):
    account = Account(entries=[Entry(amount=amount)])
    db.add(account)
    db.commit()
    db.add(Entry(amount=5, account_id=account.id))
    db.commit()
    return account


@app.get("/rich")
def rich(db: Session = Depends(get_db)) -> list:
    return [[a.id, a.balance, a.last.amount, a.last.account.balance] for a in db.scalars(select(Account).where(Account.balance > 10))]


def main() -> None:
    with TestClient(app) as client:
        print(client.post("/accounts?amount=10").json(), client.post("/accounts?amount=1").json(), client.get("/rich").json())


if __name__ == "__main__":
    main()
