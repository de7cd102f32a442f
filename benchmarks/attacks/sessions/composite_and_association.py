from sqlalchemy import Column, ForeignKey, Table, select
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from database import SessionLocal, engine


class Base(DeclarativeBase):
    pass


class Link(Base):
    __tablename__ = "links"
    left_id: Mapped[int] = mapped_column(ForeignKey("lefts.id"), primary_key=True)
    right_id: Mapped[int] = mapped_column(ForeignKey("rights.id"), primary_key=True)
    weight: Mapped[int] = mapped_column(default=1)
    right: Mapped["Right"] = relationship()


class Left(Base):
    __tablename__ = "lefts"
    id: Mapped[int] = mapped_column(primary_key=True)
    links: Mapped[list[Link]] = relationship(cascade="all, delete-orphan")
    rights = association_proxy("links", "right", creator=lambda right: Link(right=right))
    names = association_proxy("rights", "name")


class Right(Base):
    __tablename__ = "rights"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def main():
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        db.add(Left(id=1, rights=[Right(id=1, name="r"), Right(id=2, name="s")]))
        db.commit()
    with SessionLocal() as db:
        left = db.get(Left, 1)
        print([link.right.name for link in left.links], [r.name for r in left.rights], list(left.names))
        left.rights.pop()
        db.commit()
        print(db.get(Link, (1, 1)).weight, db.get(Link, {"left_id": 1, "right_id": 2}))
        db.delete(left)
        db.commit()
        print(db.scalars(select(Link)).all())


if __name__ == "__main__":
    main()
