from sqlalchemy import Column, ForeignKey, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base, object_session, relationship

Base = declarative_base()


class Shelf(Base):
    __tablename__ = "shelves"
    id = Column(Integer, primary_key=True)
    items = relationship("Item", lazy="dynamic")

    def count(self):
        return self.items.filter(Item.id > 1).count()

    def siblings(self):
        return object_session(self).query(Shelf).filter(Shelf.id != self.id).all()


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    shelf_id = Column(ForeignKey("shelves.id"))


def show(session: Session):
    session.add_all([Shelf(id=1, items=[Item(id=n) for n in range(1, 4)]), Shelf(id=2)])
    shelf = session.query(Shelf).filter(Shelf.items.any(Item.id == 2)).one()
    print(shelf.count(), [i.id for i in shelf.items.order_by(Item.id.desc())], len(shelf.siblings()))
    print(shelf.items.first().id, shelf.items[1].id, shelf.items.filter_by(id=3).delete(), shelf.items.count())


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
