from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy.orm import Session

from . import service
from .database import Base, engine, get_db

app = FastAPI()
log = []


class Placing(BaseModel):
    customer: str
    articles: dict[str, int]


@app.on_event("startup")
def create_tables():
    Base.metadata.create_all(engine)
    log.append("up")


@app.on_event("shutdown")
def drop_tables():
    Base.metadata.drop_all(engine)
    log.append("down")


@app.get("/health")
def health(db: Session = Depends(get_db)):
    return {"alive": service.is_alive(db)}


@app.get("/orders")
def orders(db: Session = Depends(get_db)):
    return service.overview(db)


@app.post("/orders", status_code=201)
def add(placing: Placing, db: Session = Depends(get_db)):
    return {"order": service.place(db, placing.customer, placing.articles)}


@app.post("/orders/{key}/ship")
def ship(key: int, db: Session = Depends(get_db)):
    if not service.ship(db, key):
        raise HTTPException(404)
    return {"order": key}


@app.delete("/orders/shipped")
def forget(db: Session = Depends(get_db)):
    return {"gone": service.forget_shipped(db)}


@app.get("/articles")
def articles(db: Session = Depends(get_db)):
    return service.pieces(db)
