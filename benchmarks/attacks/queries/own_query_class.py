from sqlalchemy import create_engine
from sqlalchemy.orm import Query, Session, sessionmaker

from shop import Author, Base


class Loud(Query):
    def all(self):
        print("all")
        return super().all()

    def active(self):
        return self.filter(Author.age > 20)

    def first(self):
        return super().first() or "nobody"


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
Local = sessionmaker(engine, query_cls=Loud)


def show(session: Session):
    session.add(Author(name="x", age=3))
    print(session.query(Author).all()[0].name)
    print(session.query(Author).active().count())
    print(session.query(Author).filter(Author.age == 9).first())


with Local() as session:
    show(session)
