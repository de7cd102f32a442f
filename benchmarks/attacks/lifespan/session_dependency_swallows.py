from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

app = FastAPI()
engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Local = sessionmaker(engine)
with Local() as db:
    db.execute(text("create table t (n int)"))
    db.commit()


def get_db():
    db = Local()
    try:
        yield db
        db.commit()
    except HTTPException:
        db.rollback()
        raise
    finally:
        db.close()


@app.post("/{n}")
def add(n: int, db: Session = Depends(get_db)):
    db.execute(text("insert into t values (:n)"), {"n": n})
    if n > 2:
        raise HTTPException(400)
    return n


@app.get("/")
def count(db: Session = Depends(get_db)):
    return db.scalar(text("select count(*) from t"))


client = TestClient(app)
print([client.post(f"/{n}").status_code for n in (1, 2, 3)], client.get("/").json())
