# announced: Query raises if `Doc.tags` has unhashable values
# rules: query-to-select
from sqlalchemy import TypeDecorator, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///a.db")


class Tags(TypeDecorator):
    impl = String
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return ",".join(value)

    def process_result_value(self, value, dialect):
        return value.split(",")


class Base(DeclarativeBase):
    pass


class Doc(Base):
    __tablename__ = "docs"
    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list] = mapped_column(Tags)


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Doc(tags=["a", "b"]), Doc(tags=["a", "b"])])
        db.commit()
        print([r.tags for r in db.query(Doc.tags)], db.query(Doc.id, Doc.tags).all())
        print(db.query(Doc.tags).first()[0], db.query(Doc).filter(Doc.tags == ["a", "b"]).count())
        try:
            print(db.query(Doc.tags, Doc).all()[0][0])
        except TypeError as error:
            print("TypeError")


main()
