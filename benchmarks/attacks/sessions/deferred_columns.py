from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, defer, deferred, load_only, mapped_column

from database import SessionLocal, engine


class Base(DeclarativeBase):
    pass


class Doc(Base):
    __tablename__ = "docs"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(deferred=True)

    def summary(self):
        return f"{self.title}: {self.body[:2]}"


def main():
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add(Doc(id=1, title="t", body="body"))
        db.commit()
    with SessionLocal() as db:
        doc = db.get(Doc, 1)
        print(doc.title, doc.body)
    with SessionLocal() as db:
        print([d.summary() for d in db.scalars(select(Doc))])
    with SessionLocal() as db:
        print([d.title for d in db.scalars(select(Doc).options(defer(Doc.title)))])
        print([d.title for d in db.scalars(select(Doc).options(load_only(Doc.id)))])


if __name__ == "__main__":
    main()
