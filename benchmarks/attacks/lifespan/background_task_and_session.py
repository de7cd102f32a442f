from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

app = FastAPI()
engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Local = sessionmaker(engine)
log = []


def get_db():
    db = Local()
    try:
        yield db
    finally:
        log.append("closed")
        db.close()


@app.get("/")
def index(tasks: BackgroundTasks, db: Session = Depends(get_db)):
    tasks.add_task(lambda: log.append(db.scalar(text("select 5"))))
    return "ok"


print(TestClient(app).get("/").json(), log)
