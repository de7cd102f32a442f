# rules: annotated-dependency
from typing import Annotated, Optional

from fastapi import Depends, FastAPI, File, Form, Query, Security
from fastapi.security import APIKeyHeader
from fastapi.testclient import TestClient

app = FastAPI()
key = APIKeyHeader(name="x-key", auto_error=False)
DEFAULT = Query(default=3, alias="n")


def common(skip: int = 0, limit: Annotated[int, Query(le=9)] = 5) -> dict:
    return {"skip": skip, "limit": limit}


@app.get("/all")
async def everything(
    names: Optional[list[str]] = Query(None),  # names to look for
    token: str = Security(key),
    shared: int = DEFAULT,
    params: dict = Depends(common),
    tags: set[str] = Query(default_factory=set),
) -> list:
    return [names, token, shared, params, sorted(tags)]


@app.get("/nested")
async def nested(outer: dict = Depends(lambda p=Depends(common): {"inner": p}, use_cache=False)) -> dict:
    return outer


with TestClient(app) as client:
    print(client.get("/all").json(), client.get("/all?names=a&names=b&n=4&tags=x", headers={"x-key": "k"}).json(), client.get("/all?limit=10").status_code)
    print(client.get("/nested?skip=2").json(), [p["name"] for p in client.get("/openapi.json").json()["paths"]["/all"]["get"]["parameters"]])
