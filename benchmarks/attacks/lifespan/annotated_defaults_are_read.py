import inspect

from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


def get_db():
    return "db"


@app.get("/")
def index(q: str = Query("x", max_length=3), db: str = Depends(get_db)):
    return [q, db]


print([type(p.default).__name__ for p in inspect.signature(index).parameters.values()])
print(TestClient(app).get("/").json())
