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


@app.post("/tasks/{key}/free")
def free(key: int, db: Session = Depends(get_db)) -> list:
    task = db.get(Task, key)
    owner = task.owner
    task.owner_id = None
    db.commit()
    return [task.owner, [t.title for t in owner.tasks], task.project.name, len(task.project.tasks)]


def run(client: TestClient) -> None:
    print(client.post("/tasks/1/free").json(), client.post("/tasks/2/free").json())


def main() -> None:
    with TestClient(app) as client:
        client.post("/seed")
        run(client)


if __name__ == "__main__":
    main()
