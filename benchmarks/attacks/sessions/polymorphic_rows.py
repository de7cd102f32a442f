from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from database import SessionLocal, engine


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "item"}

    def label(self):
        return f"item {self.id}"


class Book(Item):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    pages: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "book"}

    def label(self):
        return f"book of {self.pages}"


def main():
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add_all([Item(id=1), Book(id=2, pages=9)])
        db.commit()
    with SessionLocal() as db:
        print([one.label() for one in db.scalars(select(Item).order_by(Item.id))])
        print(db.get(Item, 2).pages, db.scalars(select(Book)).one().pages)


if __name__ == "__main__":
    main()
