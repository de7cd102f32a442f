from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import Post, User, get_db, seed

app = FastAPI()


class PostOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str | None
    posts: list[PostOut] = []


@app.get("/users", response_model=list[UserOut])
def users(db: Session = Depends(get_db)):
    return db.scalars(select(User).order_by(User.id)).all()


@app.post("/users")
def add(name: str, db: Session = Depends(get_db)) -> UserOut:
    user = User(name=name)
    db.add(user)
    db.commit()
    return user


@app.put("/users/{key}")
def rename(key: int, name: str, db: Session = Depends(get_db)) -> UserOut:
    user = db.get(User, key)
    user.name = name
    user.posts.append(Post(title=name))
    db.commit()
    db.refresh(user)
    return UserOut.model_validate(user)


def main():
    seed()
    client = TestClient(app)
    print(client.get("/users").json(), client.post("/users?name=n").json(), client.put("/users/2?name=z").json())


if __name__ == "__main__":
    main()
