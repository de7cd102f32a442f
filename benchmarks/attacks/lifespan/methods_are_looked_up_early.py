from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


class Service:
    def start(self):
        log.append("start")


service = Service()
app = FastAPI()
app.add_event_handler("startup", service.start)
service.start = lambda: log.append("replaced")
with TestClient(app):
    pass
print(log)
