from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, column_property, mapped_column

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


class Doc(Base):
    __tablename__ = "docs"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column()
    status: Mapped[str] = mapped_column(server_default="new")
    version: Mapped[int] = mapped_column(server_default=text("1"), onupdate=text("version + 1"))
    shout: Mapped[str] = column_property(func.upper(title))


def save(db: Session, doc: Doc) -> Doc:
    db.add(doc)
    db.flush()
    return doc


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        doc = save(db, Doc(title="a"))
        print(doc.status, doc.version, doc.shout)
        doc.title = "b"
        db.flush()
        print(doc.version, doc.shout)
        db.commit()
        doc.title = "c"
        db.commit()
        print(doc.version, doc.shout, doc.status)


if __name__ == "__main__":
    main()
