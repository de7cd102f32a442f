from sqlalchemy import JSON, Column, Integer, TypeDecorator, String, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Words(TypeDecorator):
    impl = String
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value and " ".join(value)

    def process_result_value(self, value, dialect):
        return value and value.split()


class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    words = Column(Words)
    data = Column(JSON)


def show(session: Session):
    session.add_all([Note(words=["a", "b"], data={"x": 1}), Note(words=["a", "b"], data={"x": 1}), Note()])
    print(session.query(Note.words).all(), session.query(Note.data).all())
    other = session.query(Note).subquery()
    try:
        print(session.query(Note.words).join(other, other.c.id >= Note.id).order_by(Note.id).all())
    except TypeError as error:
        print(error)
    try:
        print(len(session.query(Note, Note.data).join(other, other.c.id >= Note.id).all()))
    except TypeError as error:
        print(error)
    print(session.query(Note.data, Note.words).filter(Note.id == 1).one())


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
