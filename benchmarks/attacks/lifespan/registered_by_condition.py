import os

from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


def create(debug=False):
    app = FastAPI()

    @app.on_event("startup")
    def always():
        log.append("always")

    if debug:

        @app.on_event("startup")
        def only_debug():
            log.append("debug")

    debug = not debug
    if os.environ.get("NOT_THERE_EVER"):
        app.add_event_handler("shutdown", lambda: log.append("never"))
    return app


for flag in (True, False):
    with TestClient(create(flag)):
        log.append(flag)
print(log)
