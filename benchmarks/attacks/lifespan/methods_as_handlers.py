from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


class Database:
    def __init__(self, name):
        self.name = name

    async def connect(self):
        log.append(f"{self.name} connects")

    def close(self):
        log.append(f"{self.name} closes")


database = Database("a")
app = FastAPI()
app.add_event_handler("startup", database.connect)
app.add_event_handler("shutdown", database.close)
database = Database("b")
with TestClient(app):
    pass
print(log)
