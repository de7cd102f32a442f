from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

from database import Base, User, get_db, seed

app = FastAPI()


@app.get("/names")
def names(db: Session = Depends(get_db)):
    return db.scalars(select(User.name).order_by(User.id)).all()


other = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Testing = sessionmaker(other)


def override():
    db = Testing()
    try:
        yield db
    finally:
        db.close()


def main():
    seed()
    Base.metadata.create_all(other)
    client = TestClient(app)
    print(client.get("/names").json())
    app.dependency_overrides[get_db] = override
    print(client.get("/names").json())
    with Testing() as db:
        db.add(User(name="tested"))
        db.commit()
    print(client.get("/names").json())


if __name__ == "__main__":
    main()
