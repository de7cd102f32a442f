# rules: query-to-select
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


class Stat(Base):
    __tablename__ = "stats"
    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    index: Mapped[int] = mapped_column("idx")
    first: Mapped[str | None]


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Stat(key="a", count=3, index=1), Stat(key="b", count=4, index=0, first="x")])
        session.commit()
        row = session.query(Stat.count, Stat.index, Stat.first).order_by(Stat.key).first()
        print(row._mapping["count"], row._mapping["index"], row[2], [r.first for r in session.query(Stat.first).order_by(Stat.key)])
        print([k for k in row._mapping.keys()], session.query(Stat).filter(Stat.first.is_(None)).one().count)
        print(session.query(Stat.key, Stat).order_by(Stat.key).all()[1].Stat.index, session.query(Stat).get("a").count)


main()
