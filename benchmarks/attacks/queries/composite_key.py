from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Seat(Base):
    __tablename__ = "seats"
    row = Column(Integer, primary_key=True)
    number = Column(Integer, primary_key=True)
    who = Column(String(9))


def show(session: Session):
    session.add_all([Seat(row=1, number=1, who="a"), Seat(row=1, number=2), Seat(row=2, number=1, who="a")])
    print(session.query(Seat).get((1, 1)).who, session.query(Seat).get([1, 2]).who)
    print(session.query(Seat).count(), session.query(Seat).distinct(Seat.who).count())
    print(session.query(Seat.who).distinct().count(), session.query(Seat.who).group_by(Seat.who).count())
    print(session.query(Seat).filter(Seat.row == 1).delete(), session.query(Seat).count())


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
