from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import DeclarativeBase, Mapped, attribute_keyed_dict, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///a.db")
Session = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    value: Mapped[str]
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[dict[str, Tag]] = relationship(collection_class=attribute_keyed_dict("key"), cascade="all, delete-orphan")
    values: AssociationProxy[dict[str, str]] = association_proxy("tags", "value", creator=lambda k, v: Tag(key=k, value=v))


def main() -> None:
    Base.metadata.create_all(engine)
    with Session() as db:
        item = Item()
        item.values["color"] = "red"
        db.add(item)
        db.commit()
        item.values["size"] = "xl"
        db.commit()
        print(dict(item.values), "color" in item.values, sorted(item.tags))
    with Session() as db:
        item = db.get(Item, 1)
        del item.values["color"]
        db.commit()
        print(dict(item.values), db.scalars(select(Tag.key)).all())


if __name__ == "__main__":
    main()
