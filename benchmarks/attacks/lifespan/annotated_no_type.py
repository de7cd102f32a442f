from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


class Pager:
    def __init__(self, page: int = Query(1, ge=1), size=Query("ten")):
        self.page, self.size = page, size


@app.get("/")
def index(pager: Pager = Depends(), other=Depends(Pager), raw=Query(5)):
    return [pager.page, pager.size, other.size, raw]


client = TestClient(app)
print(client.get("/").json(), client.get("/?page=0").status_code, client.get("/?raw=7&size=3").json())
print(client.get("/openapi.json").text)
