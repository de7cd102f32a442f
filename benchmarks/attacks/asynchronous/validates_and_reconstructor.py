from sqlalchemy.orm import reconstructor, validates
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///a.db")
SessionLocal = sessionmaker(engine)
log: list[str] = []


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    members: Mapped[list["Member"]] = relationship(back_populates="team", cascade="all, delete-orphan")

    @validates("members")
    def check(self, key, member):
        log.append(f"{key}:{member.name}:{self.name}")
        return member

    @reconstructor
    def loaded(self):
        log.append(f"loaded {self.name}")


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    team: Mapped[Team] = relationship(back_populates="members")


def main() -> None:
    Base.metadata.create_all(engine)
    with SessionLocal() as db:
        team = Team(name="t")
        team.members.append(Member(name="a"))
        db.add(team)
        db.commit()
    with SessionLocal() as db:
        team = db.scalars(select(Team)).one()
        Member(name="b", team=team)
        team.members.append(Member(name="c"))
        db.commit()
        print([m.name for m in team.members], log)


if __name__ == "__main__":
    main()
