# rules: annotated-dependency
import dataclasses
from enum import Enum
from fastapi import Body, Depends, FastAPI, Form, Path, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel

app = FastAPI()


class Kind(str, Enum):
    a = "a"
    b = "b"


@dataclasses.dataclass
class Filter:
    kind: Kind = Query(Kind.b)
    n: int = Query(1, gt=0)


class Item(BaseModel):
    name: str
    size: int = 1


@app.get("/{kind}/list")
def listing(kind: Kind = Path(), filters: Filter = Depends(), deprecated: str = Query("d", deprecated=True), regex: str = Query("aa", pattern="^a+$")) -> list:
    return [kind, filters.kind, filters.n, deprecated, regex]


@app.put("/item")
def put(item: Item = Body(..., embed=True), extra: Item = Body(Item(name="default")), n: int = Body(2)) -> list:
    return [item.name, extra.name, n]


with TestClient(app) as client:
    print(client.get("/a/list").json(), client.get("/a/list?regex=b").status_code, client.get("/a/list?n=0").status_code)
    print(client.put("/item", json={"item": {"name": "x"}}).json(), client.put("/item", json={"name": "x"}).status_code)
    schema = client.get("/openapi.json").json()
    print([(p["name"], p["schema"].get("default"), p.get("deprecated")) for p in schema["paths"]["/{kind}/list"]["get"]["parameters"]])
print(Filter().n.default if hasattr(Filter().n, "default") else Filter().n)
