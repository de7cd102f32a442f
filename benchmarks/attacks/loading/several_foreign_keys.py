from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class City(Base):
    __tablename__ = "cities"
    id: Mapped[int] = mapped_column(primary_key=True)
    out: Mapped[list["Way"]] = relationship(foreign_keys="Way.start_id", back_populates="start")
    into: Mapped[list["Way"]] = relationship(foreign_keys="Way.end_id", back_populates="end")


class Way(Base):
    __tablename__ = "ways"
    id: Mapped[int] = mapped_column(primary_key=True)
    start_id: Mapped[int] = mapped_column(ForeignKey("cities.id"))
    end_id: Mapped[int] = mapped_column(ForeignKey("cities.id"))
    start: Mapped[City] = relationship(foreign_keys=[start_id], back_populates="out")
    end: Mapped[City] = relationship(foreign_keys=[end_id], back_populates="into")


def reachable(city, seen=()):
    for way in city.out:
        if way.end.id not in seen:
            seen = reachable(way.end, (*seen, way.end.id))
    return seen


def show(session: Session):
    for city in session.scalars(select(City).order_by(City.id)):
        print(city.id, len(city.out), len(city.into), reachable(city))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
a, b, c = City(id=1), City(id=2), City(id=3)
session.add_all([Way(start=a, end=b), Way(start=b, end=c), Way(start=c, end=a)])
session.commit()
show(session)
