from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, with_polymorphic

Base = declarative_base()


class Animal(Base):
    __tablename__ = "animals"
    id = Column(Integer, primary_key=True)
    kind = Column(String(9))
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "animal"}


class Dog(Animal):
    __tablename__ = "dogs"
    id = Column(ForeignKey("animals.id"), primary_key=True)
    bark = Column(String(9))
    __mapper_args__ = {"polymorphic_identity": "dog"}


class Cat(Animal):
    __mapper_args__ = {"polymorphic_identity": "cat"}


def show(session: Session):
    session.add_all([Dog(bark="w"), Cat(), Animal()])
    print([type(a).__name__ for a in session.query(Animal).order_by(Animal.id)])
    print(session.query(Cat).count(), session.query(Dog).count(), session.query(Dog).first().bark)
    every = with_polymorphic(Animal, "*")
    print([type(a).__name__ for a in session.query(every).order_by(every.id)])
    print(session.query(Cat).filter(Cat.kind != "x").update({"kind": "animal"}), session.query(Cat).count())
    print(session.query(Animal).get(1).bark, session.query(Dog).get(2))
    try:
        print(session.query(Dog).delete(), session.query(Animal).count())
    except Exception as error:
        print(type(error).__name__)


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
show(Session(engine))
