# rules: on-event-to-lifespan
from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
pool = None
value = 1


@app.on_event("startup")
def connect() -> str | None:
    global pool
    if value > 1:
        pool = "big"
        return "early"
    pool = "small"
    return None


@app.on_event("startup")
def twice(n=[]) -> None:
    n.append(pool)
    print("twice", n)


@app.on_event("shutdown")
def disconnect() -> None:
    global pool
    pool, old = None, pool
    print("closed", old)


def main() -> None:
    global value
    for value in (1, 2):
        with TestClient(app):
            print(pool)
    print(pool, connect(), disconnect.__name__)


main()
