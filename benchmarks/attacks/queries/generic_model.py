from typing import Generic, TypeVar

from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session

from shop import Author, Book, opened

T = TypeVar("T")


class Store(Generic[T]):
    def __init__(self, model: type[T], session: Session):
        self.model, self.session = model, session

    def page(self, number, size=2) -> list[T]:
        return self.session.query(self.model).order_by(self.model.id).offset(number * size).limit(size).all()

    def first(self, *criteria, **values):
        return self.session.query(self.model).filter(*criteria).filter_by(**values).first()

    def column(self, name):
        return self.session.query(getattr(self.model, name)).all()

    def columns(self, *names):
        return self.session.query(*(getattr(self.model, name) for name in names)).all()


session = opened()
for model in (Author, Book):
    store = Store(model, session)
    print([one.id for one in store.page(0)], store.first(model.id > 1).id, store.column("id"), store.columns("id"))
print(Store(Author.name, session).first() if hasattr(Author.name, "id") else "no")
print(Store(Author.__table__.c, session).first(name="x") if False else "skipped")
