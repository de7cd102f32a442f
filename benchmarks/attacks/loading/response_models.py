from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from blog import Base, Post, User, opened

app = FastAPI()
session = opened()
engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Base.metadata.create_all(engine)
with Session(engine) as db:
    db.add(User(id=1, name="ann", posts=[Post(id=1, title="a"), Post(id=2, title="b")]))
    db.commit()


def get_db():
    with Session(engine) as db:
        yield db


class PostOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str | None
    posts: list[PostOut]


@app.get("/users", response_model=list[UserOut])
def users(db: Session = Depends(get_db)):
    return db.scalars(select(User).order_by(User.id)).all()


@app.get("/users/{key}")
def user(key: int, db: Session = Depends(get_db)) -> UserOut:
    return db.get(User, key)


@app.post("/users")
def add(db: Session = Depends(get_db)) -> UserOut:
    user = User(name="new")
    db.add(user)
    db.commit()
    db.refresh(user)
    return user


client = TestClient(app)
print(client.get("/users").json(), client.get("/users/1").json(), client.post("/users").json())
