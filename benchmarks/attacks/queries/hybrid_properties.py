from sqlalchemy import Column, Integer, create_engine, func
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
from sqlalchemy.orm import Session, column_property, declarative_base

Base = declarative_base()


class Box(Base):
    __tablename__ = "boxes"
    id = Column(Integer, primary_key=True)
    low = Column(Integer)
    high = Column(Integer)
    size = column_property(high - low)

    @hybrid_property
    def middle(self):
        return (self.low + self.high) / 2

    @hybrid_method
    def holds(self, x):
        return (self.low <= x) & (x < self.high)


def show(session: Session):
    session.add_all([Box(low=1, high=5), Box(low=4, high=4), Box(low=None, high=1)])
    print(session.query(Box.middle).order_by(Box.id).all(), session.query(Box.size).all())
    print([row._fields for row in session.query(Box.middle, Box.size, Box.low)][:1])
    print(session.query(Box).filter(Box.holds(4)).count(), session.query(func.sum(Box.size)).scalar())
    print([row._asdict() for row in session.query(Box.middle, Box.low + Box.high)])


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
