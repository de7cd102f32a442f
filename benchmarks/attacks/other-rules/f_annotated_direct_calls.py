# rules: annotated-dependency
from fastapi import Depends, FastAPI, Header, Query
from fastapi.testclient import TestClient

app = FastAPI()


def size() -> int:
    return 10


@app.get("/items")
def items(q: str = Query("all", max_length=5), n: int = Depends(size), x_id: str | None = Header(default=None), page: int = 1) -> list:
    return [q, n, x_id, page]


def helper() -> list:
    return items("abc", 3, None)


class Page:
    def __init__(self, limit: int = Query(2, ge=1), *, offset: int = Query(0)) -> None:
        self.limit, self.offset = limit, offset


@app.get("/page")
def page(page: Page = Depends(), raw: list[str] = Query([], alias="r")) -> list:
    return [page.limit, page.offset, raw]


with TestClient(app) as client:
    print(client.get("/items").json(), client.get("/items?q=toolong").status_code, client.get("/items?q=a&page=2", headers={"x-id": "i"}).json())
    print(client.get("/page?r=a&r=b&limit=3").json(), client.get("/page?limit=0").status_code)
    print(helper(), Page(1).limit, sorted(app.openapi()["paths"]["/items"]["get"]["parameters"][0]["schema"].items()))
