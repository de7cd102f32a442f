from functools import partial

from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


def paged(size: int = 5, page: int = Query(1), by: str = Query("id")):
    return [size, page, by]


ten = partial(paged, 10)


@app.get("/")
def index(p: list = Depends(partial(paged, size=3)), q: list = Depends(paged)):
    return [p, q]


client = TestClient(app)
print(client.get("/?page=2").json(), ten(1, "x"), ten(page=4, by="y"))
