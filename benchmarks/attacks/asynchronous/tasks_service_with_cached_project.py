from collections.abc import Iterator

from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

engine = create_engine("sqlite:///a.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    tasks: Mapped[list["Task"]] = relationship(back_populates="project", cascade="all, delete-orphan", order_by="Task.id")


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    tasks: Mapped[list["Task"]] = relationship(back_populates="owner", order_by="Task.id")


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    project: Mapped[Project] = relationship(back_populates="tasks")
    owner: Mapped[Person | None] = relationship(back_populates="tasks")


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db


Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/seed")
def seed(db: Session = Depends(get_db)) -> int:
    ann, bob = Person(name="ann"), Person(name="bob")
    db.add_all([ann, bob])
    db.flush()
    db.add(Project(name="p", tasks=[Task(title="t1", owner_id=ann.id), Task(title="t2", owner_id=bob.id), Task(title="t3")]))
    db.commit()
    return db.scalar(select(func.count(Task.id)))


class Board:
    def __init__(self, db: Session = Depends(get_db)) -> None:
        self.db = db
        self._project: Project | None = None

    def project(self, key: int) -> Project:
        if self._project is None:
            self._project = self.db.scalars(select(Project).where(Project.id == key)).one()
        return self._project

    def add(self, key: int, title: str) -> Task:
        task = Task(title=title, project=self.project(key))
        self.db.add(task)
        self.db.commit()
        return task

    def titles(self, key: int) -> list[str]:
        return [t.title for t in self.project(key).tasks]


@app.post("/board/{key}")
def board(key: int, title: str, board: Board = Depends()) -> dict:
    before = board.titles(key)
    task = board.add(key, title)
    return {"before": before, "after": board.titles(key), "same": task.project is board.project(key), "n": len(task.project.tasks), "owner": task.owner}


def run(client: TestClient) -> None:
    print(client.post("/board/1?title=x").json(), client.post("/board/1?title=y").json())


def main() -> None:
    with TestClient(app) as client:
        client.post("/seed")
        run(client)


if __name__ == "__main__":
    main()
