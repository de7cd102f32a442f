import enum

from sqlalchemy import Boolean, Column, Enum, Integer, create_engine, not_, or_
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Kind(enum.Enum):
    A = 1
    B = 2


class Thing(Base):
    __tablename__ = "things"
    id = Column(Integer, primary_key=True)
    kind = Column(Enum(Kind))
    on = Column(Boolean, default=True)


def show(session: Session, kind=None):
    session.add_all([Thing(kind=Kind.A), Thing(kind=Kind.B, on=False), Thing()])
    session.flush()
    print(session.query(Thing.kind).order_by(Thing.id).all(), session.query(Thing).filter(Thing.on).count())
    print(session.query(Thing).filter(not_(Thing.on)).one().kind, session.query(Thing).filter(Thing.kind == kind).count())
    print(session.query(Thing).filter(or_(Thing.kind == Kind.A, Thing.on == False)).count())
    print(session.query(Thing).filter_by(kind=Kind.A).update({"on": Thing.id > 5}), session.query(Thing.on).all())


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
