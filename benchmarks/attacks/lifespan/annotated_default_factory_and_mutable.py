from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


@app.get("/")
def index(tags: list[str] = Query([]), words: list[str] = Query(default=["a"]), n: int = Query(default_factory=lambda: 4), none: str | None = Query(None), same: str = Query(default=...)):
    tags.append("x")
    return [tags, words, n, none, same]


client = TestClient(app)
for url in ("/?same=1", "/?same=1", "/?same=1&tags=q&words=w&n=2&none=", "/"):
    print(client.get(url).json())
