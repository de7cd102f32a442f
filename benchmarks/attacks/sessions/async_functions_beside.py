import asyncio

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import SessionLocal, User, get_db, seed

app = FastAPI()
order = []


def names(db):
    order.append("names")
    return db.scalars(select(User.name).order_by(User.id)).all()


@app.get("/a")
async def a(db: Session = Depends(get_db)):
    order.append("a")
    found = names(db)
    await asyncio.sleep(0)
    return found


@app.get("/b")
async def b():
    async def inner():
        with SessionLocal() as db:
            return names(db)

    return await asyncio.gather(inner(), asyncio.sleep(0, "slept"))


def main():
    seed()
    client = TestClient(app)
    print(client.get("/a").json(), client.get("/b").json(), order)


if __name__ == "__main__":
    main()
