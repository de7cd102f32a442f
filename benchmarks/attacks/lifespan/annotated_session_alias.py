from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


def get_db():
    with Session(engine) as db:
        yield db


@app.get("/a")
def a(db: Annotated[Session, Depends(get_db)]):
    return db.scalar(text("select 1"))


@app.get("/b")
def b(db: Annotated[Session, Depends(get_db)], n: int = 2):
    return db.scalar(text("select 1")) + n


print(TestClient(app).get("/b").json(), a.__annotations__["db"].__metadata__[0].dependency is get_db)
get_db = None
