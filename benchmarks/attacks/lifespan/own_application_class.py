from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


class App(FastAPI):
    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.add_event_handler("startup", self.begin)

    def begin(self):
        log.append(f"begin {self.title}")


app = App(title="mine")


@app.on_event("startup")
def up():
    log.append("up")


with TestClient(app):
    pass
print(log)
