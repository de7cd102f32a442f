# A collection of a base class whose rows are of several classes, one with a relationship of its own.
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    items: Mapped[list["Item"]] = relationship(order_by="Item.id")


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    writer_id: Mapped[int | None] = mapped_column(ForeignKey("writers.id"))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "item"}


class Book(Item):
    writer: Mapped["Writer | None"] = relationship()
    __mapper_args__ = {"polymorphic_identity": "book"}


class Writer(Base):
    __tablename__ = "writers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def show(session: Session):
    for shop in session.scalars(select(Shop).order_by(Shop.id)):
        for item in shop.items:
            print(shop.id, type(item).__name__, item.writer.name if isinstance(item, Book) else "")


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as db:
    ann = Writer(id=1, name="ann")
    db.add(Shop(id=1, items=[Item(id=1), Book(id=2, writer=ann), Book(id=3, writer=ann)]))
    db.add(Shop(id=2))
    db.commit()
    show(db)
