from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


def get_db():
    yield "first"


@app.get("/a")
def a(db: Session = Depends(get_db)):
    return str(db)


@app.get("/aa")
def aa(db: Session = Depends(get_db)):
    return str(db)


def get_db():
    yield "second"


@app.get("/b")
def b(db: Session = Depends(get_db)):
    return str(db)


@app.get("/bb")
def bb(db: Session = Depends(get_db)):
    return str(db)


client = TestClient(app)
print([client.get(p).json() for p in ("/a", "/aa", "/b", "/bb")])
