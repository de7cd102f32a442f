from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, attribute_keyed_dict, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "pages"
    id: Mapped[int] = mapped_column(primary_key=True)
    notes: Mapped[dict[str, "Note"]] = relationship(collection_class=attribute_keyed_dict("key"))
    marks: Mapped[set["Mark"]] = relationship()
    one: Mapped["Mark | None"] = relationship(primaryjoin="and_(Page.id == Mark.page_id, Mark.n == 1)", viewonly=True, uselist=False)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"))


class Mark(Base):
    __tablename__ = "marks"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    page_id: Mapped[int] = mapped_column(ForeignKey("pages.id"))


def show(session: Session):
    for page in session.scalars(select(Page).order_by(Page.id)):
        print(sorted(page.notes), sorted(mark.n for mark in page.marks), page.one and page.one.n)
        page.notes["z"] = Note(key="z")
        page.marks.add(Mark(n=9))
    session.commit()
    print([(sorted(p.notes), len(p.marks)) for p in session.scalars(select(Page).order_by(Page.id))])


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
session.add_all([Page(id=1, notes={"a": Note(key="a")}, marks={Mark(n=1), Mark(n=2)}), Page(id=2)])
session.commit()
show(session)
