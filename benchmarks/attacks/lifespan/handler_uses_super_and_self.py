from fastapi import FastAPI
from fastapi.testclient import TestClient

log = []


class Server:
    def __init__(self, name):
        self.app = FastAPI(title=name)
        self.app.add_event_handler("startup", self.start)

        @self.app.on_event("shutdown")
        def stop():
            log.append(f"{name} stops")
            self.stopped = True

    async def start(self):
        log.append(f"{self.app.title} starts")


servers = [Server("a"), Server("b")]
for server in servers:
    with TestClient(server.app):
        pass
print(log, [s.stopped for s in servers])
