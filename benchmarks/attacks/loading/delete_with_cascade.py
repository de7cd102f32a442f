from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Parent(Base):
    __tablename__ = "parents"
    id: Mapped[int] = mapped_column(primary_key=True)
    owned: Mapped[list["Child"]] = relationship(cascade="all, delete-orphan")
    loose: Mapped[list["Loose"]] = relationship()


class Child(Base):
    __tablename__ = "children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))


class Loose(Base):
    __tablename__ = "loose"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("parents.id"))


def show(session: Session):
    for parent in session.scalars(select(Parent).order_by(Parent.id)).all():
        print(len(parent.owned), len(parent.loose))
        if parent.id == 1:
            session.delete(parent)
        else:
            parent.owned.pop()
            parent.loose = []
    session.commit()
    print(session.scalar(select(func.count()).select_from(Child)), session.scalars(select(Loose.parent_id)).all())


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
session.add_all([Parent(id=n, owned=[Child(), Child()], loose=[Loose()]) for n in (1, 2)])
session.commit()
show(session)
