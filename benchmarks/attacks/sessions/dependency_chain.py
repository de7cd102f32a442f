from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from database import Post, SessionLocal, User, get_db, seed

app = FastAPI()
log = []


def current(key: int, db: Session = Depends(get_db)):
    user = db.get(User, key)
    if user is None:
        raise HTTPException(401)
    return user


class Service:
    def __init__(self, db: Session = Depends(get_db), user: User = Depends(current)):
        self.db, self.user = db, user

    def titles(self):
        return [p.title for p in self.user.posts]


def later(key):
    with SessionLocal() as db:
        log.append(db.get(User, key).name)


@app.get("/titles")
def titles(tasks: BackgroundTasks, service: Service = Depends()):
    tasks.add_task(later, service.user.id)
    return service.titles()


@app.get("/plain")
async def plain(user: User = Depends(current)):
    return user.name


def main():
    seed()
    client = TestClient(app)
    print(client.get("/titles?key=1").json(), client.get("/titles?key=9").status_code, client.get("/plain?key=2").json(), log)


if __name__ == "__main__":
    main()
