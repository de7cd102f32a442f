from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []
app = FastAPI()


@app.on_event("startup")
def up():
    log.append("up")


def test_client():
    app.router.on_startup.clear()
    return TestClient(app)


with test_client():
    log.append("open")
print(log)
