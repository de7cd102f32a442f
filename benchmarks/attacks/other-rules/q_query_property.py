# rules: query-to-select
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

engine = create_engine("sqlite:///a.db")
db_session = scoped_session(sessionmaker(engine))


class Base(DeclarativeBase):
    query = db_session.query_property()


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

    @classmethod
    def find(cls, **values):
        return cls.query.filter_by(**values).first()

    @classmethod
    def newest(cls, n: int = 1):
        return cls.query.order_by(cls.id.desc()).limit(n).all()


def main() -> None:
    Base.metadata.create_all(engine)
    db_session.add_all([Item(name="a"), Item(name="b")])
    db_session.commit()
    print(Item.find(name="a").id, [i.name for i in Item.newest(2)], Item.query.count(), Item.query.get(2).name)
    print(db_session.query(Item.name).filter(Item.id == 1).scalar(), Item.query.filter(Item.id == 1).delete(), Item.find(name="a"))
    db_session.remove()
    print(Item.query.count())


main()
