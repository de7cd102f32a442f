from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import Post, SessionLocal, User, get_db, seed

app = FastAPI()


@app.get("/users")
def users(db: Session = Depends(get_db)):
    return [{"name": u.name, "posts": [p.title for p in u.posts]} for u in db.scalars(select(User).order_by(User.id))]


@app.get("/users/{key}")
def user(key: int, db: Session = Depends(get_db)):
    found = db.get(User, key)
    if found is None:
        raise HTTPException(404)
    return {"name": found.name, "titles": [p.title for p in found.posts]}


@app.post("/users/{key}/posts")
def add(key: int, title: str, db: Session = Depends(get_db)):
    post = Post(title=title, author=db.get(User, key))
    db.add(post)
    db.commit()
    return {"id": post.id, "author": post.author.name, "all": [p.title for p in post.author.posts]}


def test_all():
    seed()
    with TestClient(app) as client:
        print(client.get("/users").json(), client.get("/users/1").json(), client.get("/users/9").status_code)
        print(client.post("/users/1/posts?title=new").json(), client.get("/users/1").json())


if __name__ == "__main__":
    test_all()
