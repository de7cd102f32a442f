from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()
for name, limit in (("a", 1), ("b", 2)):

    @app.get(f"/{name}")
    def route(n: int = Query(limit, le=limit), me: str = Depends(lambda name=name: name)):
        return [n, me]


client = TestClient(app)
print([client.get(url).json() for url in ("/a", "/b", "/b?n=2")], client.get("/a?n=2").status_code)
