from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Owned:
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))

    @declared_attr
    def owner(cls):
        return relationship("Owner")


class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    things: Mapped[list["Thing"]] = relationship(viewonly=True)


class Thing(Owned, Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "thing"}


class Tool(Thing):
    __tablename__ = "tools"
    id: Mapped[int] = mapped_column(ForeignKey("things.id"), primary_key=True)
    parts: Mapped[list["Part"]] = relationship()
    __mapper_args__ = {"polymorphic_identity": "tool"}


class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    tool_id: Mapped[int] = mapped_column(ForeignKey("tools.id"))


def show(session: Session):
    for thing in session.scalars(select(Thing).order_by(Thing.id)):
        print(thing.owner.id, len(thing.parts) if isinstance(thing, Tool) else "-")
    for owner in session.scalars(select(Owner)):
        print([type(t).__name__ for t in owner.things], sum(len(t.parts) for t in owner.things if t.kind == "tool"))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
owner = Owner(id=1)
session.add_all([owner, Thing(id=1, owner=owner), Tool(id=2, owner=owner, parts=[Part(), Part()])])
session.commit()
show(session)
