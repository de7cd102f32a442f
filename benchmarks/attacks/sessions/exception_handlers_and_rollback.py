from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database import SessionLocal, User, seed

app = FastAPI()
log = []


def get_db():
    db = SessionLocal()
    try:
        yield db
        db.commit()
        log.append("commit")
    except IntegrityError:
        db.rollback()
        log.append("rollback")
        raise
    finally:
        db.close()
        log.append("close")


@app.exception_handler(IntegrityError)
def conflict(request, error):
    return JSONResponse({"conflict": True}, 409)


@app.post("/users/{key}")
def add(key: int, db: Session = Depends(get_db)):
    user = User(id=key)
    db.add(user)
    db.flush()
    return user.id


def main():
    seed()
    client = TestClient(app)
    print(client.post("/users/1").json(), client.post("/users/7").json(), log)


if __name__ == "__main__":
    main()
