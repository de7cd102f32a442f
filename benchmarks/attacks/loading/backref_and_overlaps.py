from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Session, backref, mapped_column, relationship, Mapped


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    members = relationship("Member", backref=backref("team", uselist=False), order_by="Member.id")


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))


def show(session: Session):
    for member in session.scalars(select(Member).order_by(Member.id)):
        print(member.team.id if member.team else None, [m.id for m in member.team.members] if member.team else [])
    team = session.scalars(select(Team)).one()
    team.members.append(Member(id=9))
    session.flush()
    print(team.members[-1].team is team, len(team.members))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
session.add_all([Team(id=1, members=[Member(id=1), Member(id=2)]), Member(id=3)])
session.commit()
show(session)
