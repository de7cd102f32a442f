from functools import total_ordering
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///a.db")


class Base(DeclarativeBase):
    pass


@total_ordering
class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    players: Mapped[list["Player"]] = relationship(back_populates="team")

    def __str__(self) -> str:
        return f"{self.name}:{'+'.join(map(str, self.players))}"

    def __lt__(self, other: "Team") -> bool:
        return len(self.players) < len(other.players)

    def __len__(self) -> int:
        return len(self.players)


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    team: Mapped[Team] = relationship(back_populates="players")

    def __str__(self) -> str:
        return f"{self.name}@{self.team.name}"


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Team(name="a", players=[Player(name="x"), Player(name="y")]), Team(name="b", players=[Player(name="z")])])
        db.commit()
    with Session(engine) as db:
        teams = db.scalars(select(Team)).all()
        print(*sorted(teams), max(teams).name, [len(t) for t in teams])
        print(db.get(Player, 3), [t.name for t in teams if t])


if __name__ == "__main__":
    main()
