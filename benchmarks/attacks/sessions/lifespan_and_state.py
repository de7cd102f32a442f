from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import select

from database import SessionLocal, User, seed


@asynccontextmanager
async def lifespan(app):
    seed()
    with SessionLocal() as db:
        app.state.names = db.scalars(select(User.name).order_by(User.id)).all()
    yield
    app.state.names = None


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def with_db(request: Request, call_next):
    request.state.db = SessionLocal()
    try:
        return await call_next(request)
    finally:
        request.state.db.close()


@app.get("/")
def index(request: Request):
    return [request.app.state.names, request.state.db.get(User, 1).name]


def main():
    with TestClient(app) as client:
        print(client.get("/").json())


if __name__ == "__main__":
    main()
