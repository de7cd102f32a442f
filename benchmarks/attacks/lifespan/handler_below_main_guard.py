from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()
log = []

if __name__ == "__main__":

    @app.on_event("startup")
    def up():
        log.append("up")

    try:
        missing_name
    except NameError:

        @app.on_event("startup")
        def in_except():
            log.append("except")

    with TestClient(app):
        pass
    print(log)
