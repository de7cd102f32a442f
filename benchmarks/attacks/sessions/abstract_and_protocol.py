from abc import ABC, abstractmethod
from typing import Protocol

from sqlalchemy import select

from database import SessionLocal, User, seed


class Store(Protocol):
    def names(self) -> list[str]: ...


class InMemory:
    def names(self) -> list[str]:
        return ["memory"]


class InDatabase:
    def __init__(self, db):
        self.db = db

    def names(self) -> list[str]:
        return list(self.db.scalars(select(User.name).order_by(User.id)))


class Job(ABC):
    @abstractmethod
    def run(self): ...

    def __call__(self):
        return self.run()


class Report(Job):
    def __init__(self, store: Store):
        self.store = store

    def run(self):
        return self.store.names()


class Nothing(Job):
    def run(self):
        return "nothing"


def main():
    seed()
    with SessionLocal() as db:
        print([job() for job in (Report(InMemory()), Report(InDatabase(db)), Nothing())])


if __name__ == "__main__":
    main()
