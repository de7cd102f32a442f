from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


def get_db():
    return "db"


@app.get("/items")
def items(limit: int = Query(10, le=50), db: str = Depends(get_db)):
    return [repr(limit), db]


def wrapper(**kw):
    return items(**kw)


print(TestClient(app).get("/items?limit=3").json(), wrapper(limit=1, db="x"), items(2, "y"), items(db="z", limit=4))
print(TestClient(app).get("/items?limit=99").status_code, list(items.__kwdefaults__ or {}), len(items.__defaults__ or ()))
